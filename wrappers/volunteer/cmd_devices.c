/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_devices.c - volunteer devices: the controller's list of devices */
#include "config.h"

#include <stdio.h>

#include "cmd.h"
#include "ctl_client.h"
#include "table.h"

static const char usage[] =
	"Usage: volunteer devices [--seen] [--json] [--socket=PATH]\n"
	"List the devices that this controller knows, linked or not.\n"
	"\n"
	"  --seen         list also what mDNS tells of but is not linked\n"
	"  --json         print JSON\n"
	"  --socket=PATH  ask this control socket instead of\n"
	"                 " VOL_RUN_DIR "/controller.sock\n";

static const struct vol_column device_columns[] = {
	{"NODE", "node"},
	{"HOST", "hostname"},
	{"ADDRESS", "address"},
	{"DEVICE", "contact"},
	{"NODE-STATE", "slurm_state"},
	{"CPUS", "cpus"},
	{"MEMORY", "memory_mb"},
	{"SEEN", "last_seen"},
	{"REMARK", "reason"},
	{NULL, NULL},
};

static const struct vol_column seen_columns[] = {
	{"SERVICE", "instance"}, {"HOST", "host"}, {"ADDRESS", "address"},
	{"NODE", "node"},        {"ID", "id"},     {NULL, NULL},
};

/* JSON is the bare list, or an object of both lists with --seen. */
static int print(const json_t *data, const struct vol_ask_options *opt)
{
	const json_t *devices = json_object_get(data, "devices");
	const json_t *seen = json_object_get(data, "seen");

	if (opt->json)
		return vol_print_json(opt->seen ? data : devices);
	vol_table_print(stdout, devices, device_columns, time(NULL));
	if (opt->seen) {
		puts("\nSeen by mDNS, not linked:");
		vol_table_print(stdout, seen, seen_columns, time(NULL));
	}
	return VOL_EXIT_OK;
}

int cmd_devices(int argc, char **argv)
{
	struct vol_ask_options opt;
	struct vol_error err;
	json_t *data;
	int rc = vol_ask_parse(argc, argv, usage, true, &opt);

	if (rc >= 0)
		return rc;
	data = vol_ctl_ask(opt.socket, VOL_CTL_CONTROLLER, "devices", opt.seen,
			   &err);
	if (!data) {
		fprintf(stderr, "volunteer devices: %s\n", err.text);
		return VOL_EXIT_FAILED;
	}
	rc = print(data, &opt);
	json_decref(data);
	return rc;
}
