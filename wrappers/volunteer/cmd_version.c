/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_version.c - volunteer version: of this program and of the daemon */
#include "config.h"

#include <stdio.h>

#include "cluster.h"
#include "cmd.h"
#include "ctl_client.h"
#include "link.h"
#include "table.h"

static const char usage[] =
	"Usage: volunteer version [--json] [--socket=PATH]\n"
	"Show the versions of this program and of the discoveryd that runs.\n"
	"\n"
	"  --json         print JSON\n"
	"  --socket=PATH  ask this control socket instead of the one in\n"
	"                 " VOL_RUN_DIR "\n";

int cmd_version(int argc, char **argv)
{
	struct vol_ask_options opt;
	struct vol_error err;
	json_t *all, *daemon;
	int rc = vol_ask_parse(argc, argv, usage, 0, &opt);

	if (rc >= 0)
		return rc;
	/* A machine without a running discoveryd has a version, too. */
	daemon = vol_ctl_ask(opt.socket, VOL_CTL_ANY,
			     json_pack("{s:s}", "type", "version"), &err);
	all = json_pack("{s:s, s:i, s:s}", "volunteer", PACKAGE_VERSION,
			"protocol", VOL_LINK_PROTO, "slurm",
			vol_slurm_version());
	if (all)
		json_object_set_new(all, "discoveryd",
				    daemon ? daemon
					   : json_string("not running"));
	if (!all) {
		fputs("volunteer version: out of memory\n", stderr);
		json_decref(daemon);
		return VOL_EXIT_FAILED;
	}
	rc = VOL_EXIT_OK;
	if (opt.json)
		rc = vol_print_json(all);
	else
		vol_table_print_object(stdout, all, time(NULL));
	json_decref(all);
	return rc;
}
