/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trial.c - slurm-volunteer-trial: can the walls of a file be built here?
 *
 * discoveryd runs it (device/trial.h), since this forks and takes its time; an
 * admin may, too.  What does not stand is on stdout.
 */
#include "config.h"

#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "device/trial.h"
#include "sandbox.h"
#include "wallsfile.h"

/* sysexits(3); discoveryd takes all but the first three for a failure. */
#define USAGE 64

/* Where steps keep what they need for their walls: beside the file. */
static int state_dir(const char *path, char dir[PATH_MAX],
		     struct vol_error *err)
{
	char copy[PATH_MAX];

	if (strlen(path) >= sizeof(copy))
		return vol_errorf(err, "%.60s...: too long", path);
	strcpy(copy, path);
	if (snprintf(dir, PATH_MAX, "%s/sandbox", dirname(copy)) >= PATH_MAX)
		return vol_errorf(err, "%.60s...: too long", path);
	return 0;
}

static int try_walls(const char *path, struct vol_error *err)
{
	cleanup_free struct vol_walls *walls = calloc(1, sizeof(*walls));
	char text[VOL_TRIAL_TEXT_SIZE] = "", dir[PATH_MAX];
	int rc;

	if (!walls)
		return vol_errorf(err, "out of memory");
	if (vol_wallsfile_read(path, walls, err) < 0 ||
	    state_dir(path, dir, err) < 0)
		return -1;
	rc = vol_sandbox_probe(walls, dir, text, sizeof(text), err);
	if (rc < 0)
		return -1;
	fputs(text, stdout);
	return rc == 0 ? VOL_TRIAL_ALL : VOL_TRIAL_NO_IDS;
}

int main(int argc, char **argv)
{
	struct vol_error err = {""};
	int rc;

	if (argc != 2 || argv[1][0] == '-') {
		fprintf(stderr, "Usage: %s WALLS-FILE\n", argv[0]);
		return USAGE;
	}
	rc = try_walls(argv[1], &err);
	if (rc < 0) {
		puts(err.text);
		rc = VOL_TRIAL_BROKEN;
	}
	return fflush(stdout) == EOF ? USAGE : rc;
}
