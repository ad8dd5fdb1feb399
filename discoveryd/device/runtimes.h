/* SPDX-License-Identifier: GPL-2.0-or-later */
/* runtimes.h - images that are mounted to be the system of jobs (lib/runtime.h)
 *
 * slurm-volunteer-runtime (discoveryd/runtime.c) verifies and mounts them.  A
 * mount that is there was verified, whichever discoveryd had it made.  One that
 * is not wanted any more stays until discoveryd is stopped: jobs that began
 * with it are told by it.
 */
#ifndef VOL_RUNTIMES_H
#define VOL_RUNTIMES_H

#include <stdbool.h>

/* Is an image mounted on this folder, as it has to be? */
bool vol_runtimes_mounted(const char *path);

/* Have program (slurm-volunteer-runtime) take all away; waits for that.  For
 * when nothing begins here any more. */
void vol_runtimes_clear(const char *program);

#endif
