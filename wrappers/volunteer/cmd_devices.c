/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_devices.c - volunteer devices: the controller's list of devices */
#include "config.h"

#include <stdio.h>

#include "cmd.h"
#include "ctl_client.h"
#include "device_list.h"
#include "explain_words.h"
#include "outlook_view.h"
#include "owner_words.h"
#include "table.h"

#define TABLE VOL_RUN_DIR "/controller/" VOL_NODETABLE_FILE

static const char usage[] =
	"Usage: volunteer devices [--seen] [--forecast|--machines] [--json]\n"
	"                         [--socket=PATH]\n"
	"       volunteer devices --pending|--revoked [--json] [--socket=PATH]\n"
	"List the devices that this controller knows, linked or not.\n"
	"\n"
	"  --pending      list those that wait for \"volunteer approve\", with\n"
	"                 the code that \"volunteer status\" shows there, too\n"
	"  --revoked      list those that are never let in again\n"
	"  --seen         list also what mDNS tells of but is not linked\n"
	"  --forecast     show how likely each stays open for so long, and what\n"
	"                 that is concluded from; without discoveryd, from the\n"
	"                 table that it left\n"
	"  --machines     show what their machines are, and whether saved jobs\n"
	"                 can go on there\n"
	"  --json         print JSON\n"
	"  --socket=PATH  ask this control socket instead of\n"
	"                 " VOL_RUN_DIR "/controller/control.sock\n";

static const struct vol_column device_columns[] = {
	{"NODE", "node"},       {"HOST", "hostname"},
	{"ADDRESS", "address"}, {"DEVICE", "contact"},
	{"HARVEST", "harvest"}, {"AWAY", "away_since"},
	{"WHY", "why"},         {"NODE-STATE", "slurm_state"},
	{"CPUS", "cpus"},       {"MEMORY", "memory_mb"},
	{"SEEN", "last_seen"},  {"REMARK", "reason"},
	{NULL, NULL},
};

static const struct vol_column machine_columns[] = {
	{"NODE", "node"}, {"CPU", "cpu"},       {"KERNEL", "kernel"},
	{"CRIU", "criu"}, {"SYSTEM", "system"}, {"SAVED-JOBS", "saved"},
	{NULL, NULL},
};

static const struct vol_column seen_columns[] = {
	{"SERVICE", "instance"}, {"HOST", "host"}, {"ADDRESS", "address"},
	{"NODE", "node"},        {"ID", "id"},     {NULL, NULL},
};

static const struct vol_column pending_columns[] = {
	{"NAME", "name"},     {"CODE", "code"},      {"ADDRESS", "address"},
	{"HOST", "hostname"}, {"SEEN", "last_seen"}, {"ID", "id"},
	{NULL, NULL},
};

/* Those that wait, or never need to. */
static int list_others(const struct vol_ask_options *opt)
{
	struct vol_error err;
	json_t *data = vol_ctl_ask(opt->socket, VOL_CTL_CONTROLLER,
				   json_pack("{s:s, s:b}", "type", "pending",
					     "revoked", (int)opt->revoked),
				   &err);
	json_int_t more;
	int rc = VOL_EXIT_OK;

	if (!data) {
		fprintf(stderr, "volunteer devices: %s\n", err.text);
		return VOL_EXIT_FAILED;
	}
	more = json_integer_value(json_object_get(data, "more"));
	if (opt->json)
		rc = vol_print_json(json_object_get(data, "pending"));
	else
		vol_table_print(stdout, json_object_get(data, "pending"),
				pending_columns, time(NULL));
	if (more > 0)
		fprintf(stderr, "and %" JSON_INTEGER_FORMAT " more\n", more);
	json_decref(data);
	return rc;
}

static void print_machines(const json_t *devices)
{
	json_t *rows = json_array();
	const json_t *device;
	size_t i;

	json_array_foreach(devices, i, device) {
		const json_t *m = json_object_get(device, "machine");
		const char *why = vol_get_text(device, "saves_not");
		const char *criu = vol_get_text(m, "criu");
		const char *runtime = vol_get_text(m, "runtime");
		json_t *row =
			json_pack("{s:s, s:s}", "node",
				  vol_get_text(device, "node"), "saved",
				  !json_is_object(m) ? "it has not said yet"
				  : *criu            ? "go on there"
				  : *why             ? why
						     : "can not go on there");

		if (row && json_is_object(m)) {
			json_object_update(row, (json_t *)m);
			json_object_set_new(
				row, "system",
				*runtime ? json_sprintf("image %.12s", runtime)
					 : json_string("its own"));
		}
		json_array_append_new(rows, row);
	}
	vol_table_print(stdout, rows, machine_columns, time(NULL));
	json_decref(rows);
}

/* JSON is the bare list, or an object of both lists with --seen. */
static int print(const json_t *data, const struct vol_ask_options *opt)
{
	const json_t *devices = json_object_get(data, "devices");
	const json_t *seen = json_object_get(data, "seen");

	if (opt->json)
		return vol_print_json(opt->seen ? data : devices);
	if (opt->forecast)
		vol_outlook_view(stdout, devices, time(NULL));
	else if (opt->machines)
		print_machines(devices);
	else
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

/* discoveryd does not answer; what it last said may still be there. */
static json_t *read_table(struct vol_error *why)
{
	struct vol_device_list devices = {0};
	struct vol_error err;
	char age[VOL_WORDS_SIZE];
	json_t *data = NULL;

	if (vol_device_list_load(TABLE, vol_boot_ms(), true, &devices, &err) <
	    0) {
		vol_error_prefix(&err, "%s", why->text);
		*why = err;
		return NULL;
	}
	fprintf(stderr, "volunteer devices: %s; this is what it said %s ago\n",
		why->text, vol_words_span((double)devices.age_ms / 1000, age));
	data = json_pack("{s:o, s:[]}", "devices",
			 vol_outlook_devices(&devices, time(NULL)), "seen");
	vol_device_list_clear(&devices);
	return data;
}

int cmd_devices(int argc, char **argv)
{
	struct vol_ask_options opt;
	struct vol_error err;
	json_t *data;
	int rc = vol_ask_parse(argc, argv, usage,
			       VOL_TAKES_SEEN | VOL_TAKES_FORECAST |
				       VOL_TAKES_MACHINES | VOL_TAKES_PENDING,
			       &opt);

	if (rc >= 0)
		return rc;
	if (opt.pending || opt.revoked)
		return list_others(&opt);
	data = ask_all(&opt, &err);
	if (!data && opt.forecast && !opt.socket)
		data = read_table(&err);
	if (!data) {
		fprintf(stderr, "volunteer devices: %s\n", err.text);
		return VOL_EXIT_FAILED;
	}
	rc = print(data, &opt);
	json_decref(data);
	return rc;
}
