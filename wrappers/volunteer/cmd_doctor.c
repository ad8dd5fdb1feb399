/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_doctor.c - volunteer doctor: judge the cluster's settings
 *
 * Asks slurmctld itself, so it works without discoveryd.
 */
#include "config.h"

#include <getopt.h>
#include <jansson.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "cluster.h"
#include "cmd.h"
#include "ctl_client.h"
#include "device_list.h"
#include "doctor.h"
#include "doctor_local.h"
#include "select_install.h"

#define FINDINGS_MAX 64
#define TABLE        VOL_RUN_DIR "/controller/" VOL_NODETABLE_FILE

enum { OPT_JSON = 256, OPT_PARTITION };

static const char usage[] =
	"Usage: volunteer doctor [--json] [--partition=NAME]\n"
	"Check the settings of the cluster that slurm-volunteer depends on,\n"
	"and say what to change.  Exits with 1 if there is a problem.\n"
	"\n"
	"  --json            print JSON\n"
	"  --partition=NAME  the partition of the devices [volunteer]\n";

static const char *const verdicts[] = {
	[VOL_OK] = "ok",
	[VOL_ADVICE] = "advice",
	[VOL_PROBLEM] = "problem",
};

static int parse(int argc, char **argv, bool *json, const char **partition)
{
	static const struct option longs[] = {
		{"json", no_argument, NULL, OPT_JSON},
		{"partition", required_argument, NULL, OPT_PARTITION},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int c;

	optind = 0; /* glibc: start anew, main() has parsed its own words */
	while ((c = getopt_long(argc, argv, "+:h", longs, NULL)) != -1) {
		if (c == OPT_JSON) {
			*json = true;
		} else if (c == OPT_PARTITION) {
			*partition = optarg;
		} else if (c == 'h') {
			fputs(usage, stdout);
			return VOL_EXIT_OK;
		} else {
			fprintf(stderr, "volunteer doctor: %s %s\n%s",
				c == ':' ? "value missing for"
					 : "unknown option",
				argv[optind - 1], usage);
			return VOL_EXIT_USAGE;
		}
	}
	if (optind == argc)
		return -1;
	fprintf(stderr, "volunteer doctor: unexpected word %s\n%s",
		argv[optind], usage);
	return VOL_EXIT_USAGE;
}

static void add_local_facts(struct vol_cluster *c)
{
	cleanup_free char *conf = NULL;
	const char *path = getenv("SLURM_CONF");
	struct vol_device_list devices = {0};
	static struct vol_error table; /* lives as long as *c */

	c->select_active = vol_select_active();
	if (vol_device_list_load(TABLE, vol_boot_ms(), false, &devices,
				 &table) < 0)
		c->table_trouble = table.text;
	else
		c->table_devices = devices.n;
	vol_device_list_clear(&devices);
	conf = strdup(path ? path : "/etc/slurm/slurm.conf");
	if (conf)
		c->spank_present = vol_doctor_has_spank(dirname(conf),
							VOL_SLURM_PLUGIN_DIR);
}

static int print_json(const struct vol_finding *f, size_t n)
{
	json_t *list = json_array();
	size_t i;
	int rc;

	for (i = 0; list && i < n; i++)
		json_array_append_new(
			list, json_pack("{s:s, s:s, s:s, s:s, s:s}", "verdict",
					verdicts[f[i].verdict], "key", f[i].key,
					"now", f[i].now, "want", f[i].want,
					"why", f[i].why));
	rc = list ? vol_print_json(list) : VOL_EXIT_FAILED;
	json_decref(list);
	return rc;
}

static void print_text(const struct vol_finding *f, size_t n)
{
	size_t i, problems = 0, advice = 0;

	for (i = 0; i < n; i++) {
		printf("%-7s  %s\n", verdicts[f[i].verdict], f[i].now);
		if (f[i].verdict == VOL_OK)
			continue;
		printf("         want  %s\n         why   %s\n", f[i].want,
		       f[i].why);
		problems += f[i].verdict == VOL_PROBLEM;
		advice += f[i].verdict == VOL_ADVICE;
	}
	printf("\n%zu checked, %zu problems, %zu advice\n", n, problems,
	       advice);
}

/* As the daemon has it, if it runs. */
static uint64_t lost_after_ms(void)
{
	struct vol_error err;
	json_t *status =
		vol_ctl_ask(NULL, VOL_CTL_CONTROLLER,
			    json_pack("{s:s}", "type", "status"), &err);
	json_int_t ms =
		json_integer_value(json_object_get(status, "lost_after_ms"));

	json_decref(status);
	return ms > 0 ? (uint64_t)ms : 0;
}

int cmd_doctor(int argc, char **argv)
{
	struct vol_finding findings[FINDINGS_MAX];
	const char *partition = "volunteer";
	struct vol_cluster cluster;
	struct vol_error err;
	bool json = false;
	size_t n, i;
	int rc = parse(argc, argv, &json, &partition);

	if (rc >= 0)
		return rc;
	if (vol_slurm_init(&err) < 0 ||
	    vol_slurm_settings(&cluster, partition, &err) < 0) {
		fprintf(stderr, "volunteer doctor: %s\n", err.text);
		return VOL_EXIT_FAILED;
	}
	add_local_facts(&cluster);
	cluster.lost_after_ms = lost_after_ms();
	n = vol_doctor(&cluster, findings, FINDINGS_MAX);
	rc = VOL_EXIT_OK;
	if (json)
		rc = print_json(findings, n);
	else
		print_text(findings, n);
	for (i = 0; i < n; i++)
		if (findings[i].verdict == VOL_PROBLEM)
			rc = VOL_EXIT_FAILED;
	vol_slurm_fini();
	return rc;
}
