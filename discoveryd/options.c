/* SPDX-License-Identifier: GPL-2.0-or-later */
/* options.c - command line of discoveryd */
#include "config.h"

#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char usage[] =
	"Usage: discoveryd --role controller|device [OPTION]...\n"
	"Make idle machines of the LAN into nodes of a Slurm cluster.\n"
	"\n"
	"  --role NAME     controller: beside slurmctld; device: on a desktop\n"
	"  --config FILE   configuration instead of " VOL_CONF_DIR
	"/ROLE.conf\n"
	"  --check         read the configuration, say if it is right, and end\n"
	"  --verbose       log every step\n"
	"  --version       print the version and end\n"
	"  --help          print this and end\n";

static const struct option long_options[] = {
	{"role", required_argument, NULL, 'r'},
	{"config", required_argument, NULL, 'c'},
	{"check", no_argument, NULL, 'k'},
	{"verbose", no_argument, NULL, 'v'},
	{"version", no_argument, NULL, 'V'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static const struct vol_role *find_role(const struct vol_role *const *roles,
					const char *name)
{
	for (; *roles; roles++)
		if (!strcmp((*roles)->name, name))
			return *roles;
	return NULL;
}

static enum vol_options_result wrong(const char *what, const char *word)
{
	fprintf(stderr, "discoveryd: %s%s\nTry 'discoveryd --help' for more.\n",
		what, word);
	return VOL_OPTIONS_WRONG;
}

enum vol_options_result vol_options_parse(int argc, char **argv,
					  const struct vol_role *const *roles,
					  struct vol_options *options)
{
	int opt;

	memset(options, 0, sizeof(*options));
	while ((opt = getopt_long(argc, argv, "+:", long_options, NULL)) != -1)
		switch (opt) {
		case 'r':
			options->role = find_role(roles, optarg);
			if (!options->role)
				return wrong("no such role: ", optarg);
			break;
		case 'c':
			options->conf_path = optarg;
			break;
		case 'k':
			options->check = true;
			break;
		case 'v':
			options->verbose = true;
			break;
		case 'V':
			puts("discoveryd (" PACKAGE_NAME ") " PACKAGE_VERSION);
			return VOL_OPTIONS_DONE;
		case 'h':
			fputs(usage, stdout);
			return VOL_OPTIONS_DONE;
		case ':':
			return wrong("a value is missing after ",
				     argv[optind - 1]);
		default:
			return wrong("unknown option ", argv[optind - 1]);
		}
	if (optind < argc)
		return wrong("unexpected word ", argv[optind]);
	if (!options->role)
		return wrong("--role is missing", "");
	if (!options->conf_path)
		options->conf_path = options->role->default_conf;
	return VOL_OPTIONS_RUN;
}
