/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_forget.c - volunteer forget: take a device out, never let it in again */
#include "config.h"

#include <stdio.h>

#include "cmd.h"
#include "ctl_client.h"

static const char usage[] =
	"Usage: volunteer forget NODE|CODE|NAME|ID [--json] [--socket=PATH]\n"
	"Take a device out of the cluster: its link is closed at once, its jobs\n"
	"run elsewhere, its node is deleted, and its key is never let in again.\n"
	"A slip is undone by \"volunteer approve ID\" (\"volunteer devices\n"
	"--revoked\" lists them).  A secret of Slurm that the machine was given\n"
	"stays valid until it is changed.\n"
	"\n"
	"  --json         print JSON\n"
	"  --socket=PATH  ask this control socket instead of\n"
	"                 " VOL_RUN_DIR "/controller/control.sock\n";

int cmd_forget(int argc, char **argv)
{
	struct vol_ask_options opt;
	struct vol_error err;
	const char *id;
	json_t *data;
	int rc = vol_ask_parse(argc, argv, usage, VOL_TAKES_WORD, &opt);

	if (rc >= 0)
		return rc;
	if (!opt.word) {
		fputs(usage, stderr);
		return VOL_EXIT_USAGE;
	}
	data = vol_ctl_ask(opt.socket, VOL_CTL_CONTROLLER,
			   json_pack("{s:s, s:s}", "type", "forget", "name",
				     opt.word),
			   &err);
	if (!data) {
		fprintf(stderr, "volunteer forget: %s\n", err.text);
		return VOL_EXIT_FAILED;
	}
	id = json_string_value(json_object_get(data, "id"));
	rc = VOL_EXIT_OK;
	if (opt.json)
		rc = vol_print_json(data);
	else
		printf("%s: device %s is revoked%s\n", opt.word, id ? id : "",
		       json_is_true(json_object_get(data, "node"))
			       ? "; its node is being removed.\n"
				 "The machine still holds the cluster's Slurm "
				 "key; volunteer rotate-key makes it useless"
			       : "");
	json_decref(data);
	return rc;
}
