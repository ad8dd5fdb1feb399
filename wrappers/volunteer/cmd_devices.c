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
	"                 " VOL_RUN_DIR "/controller/control.sock\n";

static const struct vol_column device_columns[] = {
	{"NODE", "node"},
	{"HOST", "hostname"},
	{"ADDRESS", "address"},
	{"DEVICE", "contact"},
	{"HARVEST", "harvest"},
	{"WHY", "why"},
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

static const char *last_node(const json_t *devices)
{
	size_t n = json_array_size(devices);
	const json_t *last = n ? json_array_get(devices, n - 1) : NULL;

	return json_string_value(json_object_get(last, "node"));
}

/* Page after page until there is no more. */
static json_t *ask_all(const struct vol_ask_options *opt, struct vol_error *err)
{
	json_t *all = NULL, *devices = NULL, *page;
	const char *after = "";

	while (after) {
		page = vol_ctl_ask(opt->socket, VOL_CTL_CONTROLLER,
				   json_pack("{s:s, s:s, s:b}", "type",
					     "devices", "after", after, "seen",
					     opt->seen && !all),
				   err);
		if (!page) {
			json_decref(all);
			return NULL;
		}
		if (!all) {
			all = json_incref(page);
			devices = json_object_get(all, "devices");
		} else {
			json_array_extend(devices,
					  json_object_get(page, "devices"));
		}
		after = json_is_true(json_object_get(page, "more"))
				? last_node(devices)
				: NULL;
		json_decref(page);
	}
	json_object_del(all, "more");
	return all;
}

int cmd_devices(int argc, char **argv)
{
	struct vol_ask_options opt;
	struct vol_error err;
	json_t *data;
	int rc = vol_ask_parse(argc, argv, usage, VOL_TAKES_SEEN, &opt);

	if (rc >= 0)
		return rc;
	data = ask_all(&opt, &err);
	if (!data) {
		fprintf(stderr, "volunteer devices: %s\n", err.text);
		return VOL_EXIT_FAILED;
	}
	rc = print(data, &opt);
	json_decref(data);
	return rc;
}
