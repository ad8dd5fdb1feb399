/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_move_owner.c - volunteer move-owner: this machine has another owner */
#include "config.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "ctl_client.h"

static const char usage[] =
	"Usage: volunteer move-owner [FROM] TO [--json] [--socket=PATH]\n"
	"Hand the right to control this device (pause, resume, set) from\n"
	"one of its owners, as named by owners in device.conf, to another user.\n"
	"Without FROM it is your own right, or, if you are root, that of the only\n"
	"owner; an owner can hand on none but his own.\n"
	"\n"
	"  --json         print JSON\n"
	"  --socket=PATH  ask this control socket instead of\n"
	"                 " VOL_RUN_DIR "/device.sock\n";

/* discoveryd does not ask the user database, which may not answer. */
static int check_user(const char *name)
{
	errno = 0;
	if (getpwnam(name))
		return 0;
	fprintf(stderr, "volunteer move-owner: there is no user %s%s%s\n", name,
		errno ? ": " : "", errno ? strerror(errno) : "");
	return -1;
}

int cmd_move_owner(int argc, char **argv)
{
	struct vol_ask_options opt;
	struct vol_error err;
	const char *from, *to, *owners;
	json_t *data;
	int rc = vol_ask_parse(argc, argv, usage, VOL_TAKES_WORDS, &opt);

	if (rc >= 0)
		return rc;
	if (!opt.word) {
		fputs(usage, stderr);
		return VOL_EXIT_USAGE;
	}
	from = opt.word2 ? opt.word : NULL;
	to = opt.word2 ? opt.word2 : opt.word;
	if (check_user(to) < 0)
		return VOL_EXIT_FAILED;
	data = vol_ctl_ask(opt.socket, VOL_CTL_DEVICE,
			   json_pack("{s:s, s:s, s:s*}", "type", "move-owner",
				     "to", to, "from", from),
			   &err);
	if (!data) {
		fprintf(stderr, "volunteer move-owner: %s\n", err.text);
		return VOL_EXIT_FAILED;
	}
	owners = json_string_value(json_object_get(data, "owners"));
	rc = VOL_EXIT_OK;
	if (opt.json)
		rc = vol_print_json(data);
	else
		printf("owners: %s\n", owners ? owners : "");
	json_decref(data);
	return rc;
}
