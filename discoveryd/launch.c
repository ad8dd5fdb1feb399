/* SPDX-License-Identifier: GPL-2.0-or-later */
/* launch.c - slurm-volunteer-launch: become slurmd, in volunteer.slice
 *
 *	slurm-volunteer-launch [--] SLURMD [ARGUMENT...]
 *
 * Where the slice can not be had slurmd runs without: volunteering is more
 * than its weights.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "atomicfile.h"
#include "device/slice.h"
#include "stepfile.h"

static void try_slice(const char *node)
{
	struct vol_error err;

	if (vol_slice_enter(node, &err) == 0) {
		unlink(VOL_SLICE_REASON);
		return;
	}
	fprintf(stderr, "slurm-volunteer-launch: not in " VOL_SLICE ": %s\n",
		err.text);
	(void)vol_file_replace(VOL_SLICE_REASON, err.text, strlen(err.text),
			       0644, 0, NULL);
}

int main(int argc, char **argv)
{
	const char *node = getenv(VOL_ENV_DEVICE);
	char **command = argv + 1;

	if (argc > 1 && !strcmp(*command, "--"))
		command++;
	if (argc < 2 || !*command) {
		fprintf(stderr, "usage: slurm-volunteer-launch [--] SLURMD "
				"[ARGUMENT...]\n");
		return 2;
	}
	if (!node) {
		fprintf(stderr, "slurm-volunteer-launch: " VOL_ENV_DEVICE
				" is not set; discoveryd sets it\n");
		return 2;
	}
	try_slice(node);
	execv(*command, command);
	fprintf(stderr, "slurm-volunteer-launch: can not run %s: %s\n",
		*command, strerror(errno));
	return 127;
}
