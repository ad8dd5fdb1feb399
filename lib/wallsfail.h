/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wallsfail.h - how a job step tells discoveryd that a wall could not be built
 *
 * The SPANK plugin replaces /run/slurm-volunteer/walls-failed as a whole when a
 * step does not start because of that, and slurm-volunteer-launch when slurmd
 * does not; discoveryd watches the folder, closes the device and removes the
 * file when the walls can be built again.  root may remove it, too.
 *
 * Text, one KEY=VALUE a line, all required: version=1, job=123 (0: slurmd
 * itself did not start), reason=mount /usr: Operation not permitted
 */
#ifndef VOL_WALLSFAIL_H
#define VOL_WALLSFAIL_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

#define VOL_WALLSFAIL_NAME "walls-failed" /* in VOL_RUN_DIR */
#define VOL_WALLSFAIL_MAX  512            /* bytes, all lines */
/* What a node's reason in Slurm shows of it, with our words around it. */
#define VOL_WALLSFAIL_REASON_SIZE 128

struct vol_wallsfail {
	uint32_t job;
	char reason[VOL_WALLSFAIL_REASON_SIZE]; /* printable ASCII, not "" */
};

/* reason is cut to what fits, and what is not printable ASCII becomes '?';
 * nothing to say becomes "unknown". */
void vol_wallsfail_set(struct vol_wallsfail *fail, uint32_t job,
		       const char *reason);

/* Strict, as all our files: EINVAL, "NAME:LINE: reason", *fail unchanged. */
int vol_wallsfail_parse(const char *name, const char *text, size_t len,
			struct vol_wallsfail *fail, struct vol_error *err);

/* Text form into buf; length or -1 with ENOSPC, or EINVAL for a reason that
 * the parser would refuse. */
int vol_wallsfail_format(const struct vol_wallsfail *fail, char *buf,
			 size_t size);

#endif
