/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_resume.c - volunteer resume: end the pause */
#include "config.h"

#include <stdio.h>

#include "cmd.h"
#include "ctl_client.h"
#include "owner_view.h"

static const char usage[] =
	"Usage: volunteer resume [--json] [--socket=PATH]\n"
	"End the pause of this machine: jobs may come again when nobody uses\n"
	"it.\n"
	"\n"
	"  --json         print the new state as JSON\n"
	"  --socket=PATH  ask this control socket instead of\n"
	"                 " VOL_RUN_DIR "/device.sock\n";

int vol_pause_ask(const char *name, json_t *request,
		  const struct vol_ask_options *opt)
{
	struct vol_error err;
	json_t *data;
	int rc = VOL_EXIT_OK;

	data = vol_ctl_ask(opt->socket, VOL_CTL_DEVICE, request, &err);
	json_decref(data);
	/* The page is made of the state after it. */
	if (data)
		data = vol_ctl_ask(opt->socket, VOL_CTL_DEVICE,
				   json_pack("{s:s}", "type", "status"), &err);
	if (!data) {
		fprintf(stderr, "volunteer %s: %s\n", name, err.text);
		return VOL_EXIT_FAILED;
	}
	if (opt->json)
		rc = vol_print_json(json_object_get(data, "owner"));
	else
		vol_owner_paused(stdout, data, time(NULL));
	json_decref(data);
	return rc;
}

int cmd_resume(int argc, char **argv)
{
	struct vol_ask_options opt;
	int rc = vol_ask_parse(argc, argv, usage, 0, &opt);

	if (rc >= 0)
		return rc;
	return vol_pause_ask("resume", json_pack("{s:s}", "type", "resume"),
			     &opt);
}
