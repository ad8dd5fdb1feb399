/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_pause.c - volunteer pause: no jobs here, for a time or until resumed */
#include "config.h"

#include <errno.h>
#include <stdio.h>

#include "cmd.h"
#include "ctl_client.h"
#include "units.h"

static const char usage[] =
	"Usage: volunteer pause [DURATION] [--json] [--socket=PATH]\n"
	"Take no jobs on this machine for DURATION (30m, 2h, 1h30m, 1d), or\n"
	"until \"volunteer resume\".  Jobs that run stop at once.\n"
	"\n"
	"  --json         print the new state as JSON\n"
	"  --socket=PATH  ask this control socket instead of\n"
	"                 " VOL_RUN_DIR "/device.sock\n";

static json_t *make_request(const char *duration, struct vol_error *err)
{
	uint64_t ms;

	if (!duration)
		return json_pack("{s:s, s:i}", "type", "pause", "until", 0);
	if (vol_duration_parse(duration, &ms, err) < 0)
		return NULL;
	if (ms < 1000) {
		vol_errorf_errno(err, ERANGE, "%s: less than a second",
				 duration);
		return NULL;
	}
	return json_pack("{s:s, s:I}", "type", "pause", "seconds",
			 (json_int_t)(ms / 1000));
}

int cmd_pause(int argc, char **argv)
{
	struct vol_ask_options opt;
	struct vol_error err = {"out of memory"};
	json_t *request;
	int rc = vol_ask_parse(argc, argv, usage, VOL_TAKES_WORD, &opt);

	if (rc >= 0)
		return rc;
	request = make_request(opt.word, &err);
	if (!request) {
		fprintf(stderr, "volunteer pause: %s\n", err.text);
		return VOL_EXIT_USAGE;
	}
	return vol_pause_ask("pause", request, &opt);
}
