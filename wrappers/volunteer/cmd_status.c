/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_status.c - volunteer status: how this machine's discoveryd is doing */
#include "config.h"

#include <stdio.h>

#include "cmd.h"
#include "ctl_client.h"
#include "owner_view.h"
#include "table.h"

static const char usage[] =
	"Usage: volunteer status [--json] [--socket=PATH]\n"
	"Show what discoveryd does on this machine, device or controller.\n"
	"\n"
	"  --json         print JSON\n"
	"  --socket=PATH  ask this control socket instead of the one in\n"
	"                 " VOL_RUN_DIR "\n";

int cmd_status(int argc, char **argv)
{
	struct vol_ask_options opt;
	struct vol_error err;
	json_t *data;
	int rc = vol_ask_parse(argc, argv, usage, 0, &opt);

	if (rc >= 0)
		return rc;
	data = vol_ctl_ask(opt.socket, VOL_CTL_ANY,
			   json_pack("{s:s}", "type", "status"), &err);
	if (!data) {
		fprintf(stderr, "volunteer status: %s\n", err.text);
		return VOL_EXIT_FAILED;
	}
	rc = VOL_EXIT_OK;
	if (opt.json)
		rc = vol_print_json(data);
	else if (json_object_get(data, "owner"))
		vol_owner_view(stdout, data, time(NULL));
	else
		vol_table_print_object(stdout, data, time(NULL));
	json_decref(data);
	return rc;
}
