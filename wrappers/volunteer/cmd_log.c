/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_log.c - volunteer log: what happened to this machine */
#include "config.h"

#include <stdio.h>

#include "cmd.h"
#include "ctl_client.h"
#include "owner_view.h"

#define EVENTS_DEFAULT 20

static const char usage[] =
	"Usage: volunteer log [-n N] [--json] [--socket=PATH]\n"
	"Show when jobs were stopped, moved away and let run on this machine,\n"
	"and who changed what.\n"
	"\n"
	"  -n N           the last N events, at most 200 [20]\n"
	"  --json         print JSON\n"
	"  --socket=PATH  ask this control socket instead of\n"
	"                 " VOL_RUN_DIR "/device.sock\n";

int cmd_log(int argc, char **argv)
{
	struct vol_ask_options opt;
	struct vol_error err;
	json_t *data;
	int rc = vol_ask_parse(argc, argv, usage, VOL_TAKES_COUNT, &opt);

	if (rc >= 0)
		return rc;
	data = vol_ctl_ask(
		opt.socket, VOL_CTL_DEVICE,
		json_pack("{s:s, s:I}", "type", "log", "n",
			  (json_int_t)(opt.count ? opt.count : EVENTS_DEFAULT)),
		&err);
	if (!data) {
		fprintf(stderr, "volunteer log: %s\n", err.text);
		return VOL_EXIT_FAILED;
	}
	rc = VOL_EXIT_OK;
	if (opt.json)
		rc = vol_print_json(data);
	else
		vol_owner_log(stdout, data);
	json_decref(data);
	return rc;
}
