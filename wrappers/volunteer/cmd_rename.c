/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_rename.c - volunteer rename: give a device's node another name */
#include "config.h"

#include <stdio.h>

#include "cmd.h"
#include "ctl_client.h"

static const char usage[] =
	"Usage: volunteer rename OLD NEW [--json] [--socket=PATH]\n"
	"Give the node of a device another name.  Slurm can not rename a node,\n"
	"so it is deleted and made anew: not while jobs are on it.\n"
	"\n"
	"  --json         print JSON\n"
	"  --socket=PATH  ask this control socket instead of\n"
	"                 " VOL_RUN_DIR "/controller/control.sock\n";

int cmd_rename(int argc, char **argv)
{
	struct vol_ask_options opt;
	struct vol_error err;
	json_t *data;
	int rc = vol_ask_parse(argc, argv, usage, VOL_TAKES_WORDS, &opt);

	if (rc >= 0)
		return rc;
	if (!opt.word2) {
		fputs(usage, stderr);
		return VOL_EXIT_USAGE;
	}
	data = vol_ctl_ask(opt.socket, VOL_CTL_CONTROLLER,
			   json_pack("{s:s, s:s, s:s}", "type", "rename", "old",
				     opt.word, "new", opt.word2),
			   &err);
	if (!data) {
		fprintf(stderr, "volunteer rename: %s\n", err.text);
		return VOL_EXIT_FAILED;
	}
	rc = VOL_EXIT_OK;
	if (opt.json)
		rc = vol_print_json(data);
	else
		printf("%s: comes back as %s\n", opt.word, opt.word2);
	json_decref(data);
	return rc;
}
