/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctx_slurmd.c - slurmd: tell discoveryd that steps will be marked
 *
 * slurmd -D keeps its pid over a reconfigure: it execs itself without running
 * slurmd_exit, and init replaces the file.
 */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "atomicfile.h"
#include "cleanup.h"
#include "plugin.h"
#include "stepfile.h"

static struct {
	char path[PATH_MAX]; /* "" while there is nothing to remove */
	char text[256];
} active;

int vol_slurmd_init(int ac, char *av[], struct vol_error *err)
{
	char device[VOL_NODE_NAME_SIZE], path[PATH_MAX];
	struct vol_spank_args args;
	int len;

	active.path[0] = '\0';
	if (vol_spank_device(device, err) == -1)
		return -1;
	if (!device[0])
		return 0;
	vol_spank_args_defaults(&args);
	if (vol_spank_args_parse(ac, av, &args, err) == -1)
		return -1;
	if (vol_spank_path(path, sizeof(path), err, "%s/steps", args.run_dir) ||
	    vol_mkdir_p(path, 0755, err) ||
	    vol_spank_path(path, sizeof(path), err, "%s/%s", args.run_dir,
			   VOL_SPANK_ACTIVE_NAME))
		return -1;
	len = snprintf(active.text, sizeof(active.text),
		       "version=1\nplugin=%s\nslurm=%02d.%02d.%d\n"
		       "slurmd=%ld\nnode=%s\n",
		       PACKAGE_VERSION,
		       SLURM_VERSION_MAJOR(SLURM_VERSION_NUMBER),
		       SLURM_VERSION_MINOR(SLURM_VERSION_NUMBER),
		       SLURM_VERSION_MICRO(SLURM_VERSION_NUMBER),
		       (long)getpid(), device);
	if (vol_file_replace(path, active.text, (size_t)len, 0644, 0, err))
		return -1;
	memcpy(active.path, path, sizeof(path));
	return 0;
}

int vol_slurmd_exit(struct vol_error *err)
{
	cleanup_free char *text = NULL;

	if (!active.path[0])
		return 0;
	/* A slurmd that was started meanwhile owns the file now. */
	text = vol_file_read(active.path, sizeof(active.text), NULL, err);
	if (!text)
		return errno == ENOENT ? 0 : -1;
	if (strcmp(text, active.text))
		return 0;
	if (unlink(active.path) == -1 && errno != ENOENT)
		return vol_errorf(err, "%s: cannot remove: %s", active.path,
				  strerror(errno));
	active.path[0] = '\0';
	return 0;
}
