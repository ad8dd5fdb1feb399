/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_sandbox.c - volunteer sandbox: what a job gets on this machine */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "atomicfile.h"
#include "cleanup.h"
#include "cmd.h"
#include "ctl_client.h"
#include "sandbox_view.h"

#define WALLS VOL_RUN_DIR "/" VOL_WALLS_NAME

static const char usage[] =
	"Usage: volunteer sandbox --show [--json] [--socket=PATH]\n"
	"Show what a job gets on this machine: what it can read and write, how\n"
	"much of it, and which walls stand around it.\n"
	"\n"
	"  --show         show it; there is nothing else to do\n"
	"  --json         print JSON\n"
	"  --socket=PATH  ask this control socket instead of\n"
	"                 " VOL_RUN_DIR "/device.sock\n";

static struct vol_walls *read_walls(struct vol_error *err)
{
	cleanup_free struct vol_walls *walls = calloc(1, sizeof(*walls));
	cleanup_free char *text = NULL;
	size_t len;

	text = vol_file_read(WALLS, VOL_WALLS_FILE_MAX, &len, err);
	if (!text) {
		vol_error_prefix(err, "discoveryd has no walls for jobs here");
		return NULL;
	}
	if (!walls) {
		vol_errorf(err, "out of memory");
		return NULL;
	}
	if (vol_walls_parse(WALLS, text, len, walls, err) < 0)
		return NULL;
	return steal_ptr(&walls);
}

int cmd_sandbox(int argc, char **argv)
{
	cleanup_free struct vol_walls *walls = NULL;
	struct vol_ask_options opt;
	json_t *status, *json;
	const json_t *sandbox;
	struct vol_error err;
	int rc = vol_ask_parse(argc, argv, usage, VOL_TAKES_SHOW, &opt);

	if (rc >= 0)
		return rc;
	walls = read_walls(&err);
	if (!walls) {
		fprintf(stderr, "volunteer sandbox: %s\n", err.text);
		return VOL_EXIT_FAILED;
	}
	/* Without the daemon, what it wrote is still there. */
	status = vol_ctl_ask(opt.socket, VOL_CTL_DEVICE,
			     json_pack("{s:s}", "type", "status"), &err);
	sandbox = json_object_get(status, "sandbox");
	rc = VOL_EXIT_OK;
	if (opt.json) {
		json = vol_sandbox_view_json(walls, sandbox);
		rc = json ? vol_print_json(json) : VOL_EXIT_FAILED;
		json_decref(json);
	} else {
		vol_sandbox_view(stdout, walls, sandbox);
	}
	json_decref(status);
	return rc;
}
