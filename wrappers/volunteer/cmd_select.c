/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_select.c - volunteer select: switch our select plugin on and off */
#include "config.h"

#include "cmd.h"

#include <getopt.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "select_install.h"

enum action { NONE, ENABLE, DISABLE, STATUS };
enum { OPT_ROOT = 256, OPT_PLUGIN_DIR, OPT_SOURCE };

static const char usage[] =
	"Usage: volunteer select --enable | --disable | --status [--json]\n"
	"Switch slurmctld's scheduling plugin for volunteer devices on or off\n"
	"on this controller host.\n"
	"\n"
	"  --enable           put it in front of Slurm's select_cons_tres.so\n"
	"  --disable          put Slurm's own plugin back\n"
	"  --status           say which of the two slurmctld will load\n"
	"  --json             print the status as JSON\n"
	"  --plugin-dir=DIR   Slurm's plugin folder [" VOL_SLURM_PLUGIN_DIR
	"]\n"
	"  --source=FILE      the plugin to install\n"
	"                     [" VOL_LIB_DIR "/select_cons_tres.so]\n"
	"  --root=DIR         work on the system below DIR\n"
	"\n"
	"slurmctld reads its plugins once: restart it after a change\n"
	"(systemctl restart slurmctld). Running jobs go on.\n";

struct options {
	enum action action;
	bool json;
	const char *root, *dir, *source;
};

static int fail(const struct vol_error *err)
{
	fprintf(stderr, "volunteer select: %s\n", err->text);
	return VOL_EXIT_FAILED;
}

static int print_json(const struct vol_select *sel,
		      const struct vol_select_status *st)
{
	char built_for[VOL_SELECT_VERSION_SIZE], slurm[VOL_SELECT_VERSION_SIZE];
	json_t *obj;
	int rc = -1;

	vol_select_version(st->built_for, built_for);
	vol_select_version(st->slurm, slurm);
	obj = json_pack("{s:s, s:s, s:s?, s:s?, s:b, s:b, s:b}", "state",
			vol_select_state_name(st->state), "plugin_dir",
			sel->dir, "built_for", st->built_for ? built_for : NULL,
			"slurm", st->slurm ? slurm : NULL, "version_ok",
			st->slurm && st->built_for == st->slurm, "current",
			st->current, "diverted", st->diverted);
	if (obj) {
		rc = json_dumpf(obj, stdout, JSON_INDENT(2));
		putchar('\n');
	}
	json_decref(obj);
	return rc;
}

static void print_table(const struct vol_select *sel,
			const struct vol_select_status *st)
{
	char version[VOL_SELECT_VERSION_SIZE];

	printf("select plugin  %s\n", vol_select_state_name(st->state));
	printf("plugin folder  %s%s\n", sel->root, sel->dir);
	printf("Slurm          %s\n", vol_select_version(st->slurm, version));
	printf("built for      %s\n",
	       vol_select_version(st->built_for, version));
	if (st->dpkg)
		printf("dpkg diversion %s\n", st->diverted ? "yes" : "no");
	if (st->state == VOL_SELECT_HALF_DONE)
		puts("An earlier change was interrupted: finish it with "
		     "--enable or --disable.");
	else if (st->state == VOL_SELECT_BROKEN)
		puts("Slurm's own plugin is missing: reinstall Slurm's "
		     "package.");
	else if (st->state == VOL_SELECT_ENABLED && st->built_for != st->slurm)
		puts("Slurm has changed since: the plugin stands aside until "
		     "it is built anew and enabled again.");
	else if (st->state == VOL_SELECT_ENABLED && !st->current)
		puts("Another build of the plugin is installed now: use it "
		     "with --enable.");
}

static int show_status(const struct vol_select *sel, bool json)
{
	struct vol_select_status st;
	struct vol_error err;

	if (vol_select_look(sel, &st, &err) < 0)
		return fail(&err);
	if (json) {
		if (print_json(sel, &st) < 0)
			return VOL_EXIT_FAILED;
	} else {
		print_table(sel, &st);
	}
	return st.state == VOL_SELECT_ENABLED || st.state == VOL_SELECT_DISABLED
		       ? VOL_EXIT_OK
		       : VOL_EXIT_FAILED;
}

static int change(const struct vol_select *sel, bool enable)
{
	const char *word = enable ? "enabled" : "disabled";
	struct vol_error err;
	bool changed;
	int rc = enable ? vol_select_enable(sel, &changed, &err)
			: vol_select_disable(sel, &changed, &err);

	if (rc < 0)
		return fail(&err);
	if (!changed) {
		printf("The select plugin is already %s.\n", word);
		return VOL_EXIT_OK;
	}
	printf("The select plugin is %s. slurmctld takes notice when it is "
	       "restarted:\n    systemctl restart slurmctld\n",
	       word);
	return VOL_EXIT_OK;
}

static int misuse(const char *why)
{
	fprintf(stderr, "volunteer select: %s\n%s", why, usage);
	return VOL_EXIT_USAGE;
}

/* -1: go on, else the exit status. */
static int parse(int argc, char **argv, struct options *opt)
{
	static const struct option longs[] = {
		{"enable", no_argument, NULL, ENABLE},
		{"disable", no_argument, NULL, DISABLE},
		{"status", no_argument, NULL, STATUS},
		{"json", no_argument, NULL, 'j'},
		{"root", required_argument, NULL, OPT_ROOT},
		{"plugin-dir", required_argument, NULL, OPT_PLUGIN_DIR},
		{"source", required_argument, NULL, OPT_SOURCE},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int c;

	optind = 0; /* glibc: start anew, main() has parsed its own words */
	while ((c = getopt_long(argc, argv, "+:h", longs, NULL)) != -1) {
		switch (c) {
		case ENABLE:
		case DISABLE:
		case STATUS:
			if (opt->action && opt->action != (enum action)c)
				return misuse("give one of --enable, --disable "
					      "and --status");
			opt->action = (enum action)c;
			break;
		case 'j':
			opt->json = true;
			break;
		case OPT_ROOT:
			opt->root = optarg;
			break;
		case OPT_PLUGIN_DIR:
			opt->dir = optarg;
			break;
		case OPT_SOURCE:
			opt->source = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return VOL_EXIT_OK;
		case ':':
			return misuse("an option lacks its value");
		default:
			return misuse("unknown option");
		}
	}
	if (optind < argc)
		return misuse("takes options only");
	if (opt->action == NONE)
		return misuse("give --enable, --disable or --status");
	if (opt->json && opt->action != STATUS)
		return misuse("--json goes with --status");
	return -1;
}

int cmd_select(int argc, char **argv)
{
	struct options opt = {.action = NONE};
	struct vol_select sel;
	struct vol_error err;
	int rc = parse(argc, argv, &opt);

	if (rc >= 0)
		return rc;
	if (vol_select_init(&sel, opt.root, opt.dir, opt.source, &err) < 0)
		return fail(&err);
	if (opt.action == STATUS)
		return show_status(&sel, opt.json);
	return change(&sel, opt.action == ENABLE);
}
