/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_why.c - volunteer why: why jobs run on this machine now, or do not */
#include "config.h"

#include <stdio.h>

#include "cmd.h"
#include "ctl_client.h"
#include "owner_view.h"

static const char usage[] =
	"Usage: volunteer why [--json] [--socket=PATH]\n"
	"Say why jobs run on this machine now or do not, what each sensor says,\n"
	"and what would change it.\n"
	"\n"
	"  --json         print what \"status\" says about it as JSON\n"
	"  --socket=PATH  ask this control socket instead of\n"
	"                 " VOL_RUN_DIR "/device.sock\n";

int cmd_why(int argc, char **argv)
{
	struct vol_ask_options opt;
	struct vol_error err;
	json_t *data, *owner;
	int rc = vol_ask_parse(argc, argv, usage, 0, &opt);

	if (rc >= 0)
		return rc;
	data = vol_ctl_ask(opt.socket, VOL_CTL_DEVICE,
			   json_pack("{s:s}", "type", "status"), &err);
	owner = json_object_get(data, "owner");
	if (data && !owner)
		vol_errorf(&err, "no volunteer device answers there");
	if (!owner) {
		fprintf(stderr, "volunteer why: %s\n", err.text);
		json_decref(data);
		return VOL_EXIT_FAILED;
	}
	rc = VOL_EXIT_OK;
	if (opt.json)
		rc = vol_print_json(owner);
	else
		vol_owner_why(stdout, data, time(NULL));
	json_decref(data);
	return rc;
}
