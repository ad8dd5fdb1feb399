/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmd_cluster.c - volunteer cluster: Slurm's commands for another cluster */
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clusterdir.h"
#include "cmd.h"

#define EXIT_NOT_RUN 127 /* as a shell's */

static const char usage[] =
	"Usage: volunteer cluster [NAME [COMMAND [WORD...]]]\n"
	"Run a command for another cluster that this host knows, as in\n"
	"\"volunteer cluster NAME squeue --me\".\n"
	"\n"
	"Without COMMAND, print the setting that makes Slurm's commands go\n"
	"there, without NAME the names of the clusters: those with a\n"
	"NAME/slurm.conf in " VOL_CLUSTERS_DIR ".\n"
	"vbatch has an option for it: vbatch --cluster NAME.\n";

static int fail(const struct vol_error *err)
{
	fprintf(stderr, "volunteer cluster: %s\n", err->text);
	return VOL_EXIT_FAILED;
}

static int print_names(void)
{
	struct vol_error err;
	char **names;
	size_t n, i;

	if (vol_clusterdir_list(vol_clusterdir_root(), &names, &n, &err) < 0)
		return fail(&err);
	for (i = 0; i < n; i++) {
		puts(names[i]);
		free(names[i]);
	}
	free(names);
	return VOL_EXIT_OK;
}

static int print_setting(const char *name)
{
	struct vol_error err;
	char path[PATH_MAX];

	if (vol_clusterdir_conf(vol_clusterdir_root(), name, path, &err) < 0)
		return fail(&err);
	printf("SLURM_CONF=%s\n", path);
	return VOL_EXIT_OK;
}

static int run(const char *name, char **argv)
{
	struct vol_error err;

	if (vol_clusterdir_enter(vol_clusterdir_root(), name, &err) < 0)
		return fail(&err);
	execvp(argv[0], argv);
	fprintf(stderr, "volunteer cluster: %s: %s\n", argv[0],
		strerror(errno));
	return EXIT_NOT_RUN;
}

int cmd_cluster(int argc, char **argv)
{
	static const struct option longs[] = {
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	const char *name;
	int c;

	optind = 0; /* glibc: start anew, main() has parsed its own words */
	while ((c = getopt_long(argc, argv, "+:h", longs, NULL)) != -1) {
		if (c == 'h') {
			fputs(usage, stdout);
			return VOL_EXIT_OK;
		}
		fprintf(stderr, "volunteer cluster: unknown option %s\n%s",
			argv[optind - 1], usage);
		return VOL_EXIT_USAGE;
	}
	if (optind == argc)
		return print_names();
	name = argv[optind];
	argv += optind + 1;
	if (*argv && !strcmp(*argv, "--"))
		argv++;
	return *argv ? run(name, argv) : print_setting(name);
}
