/* SPDX-License-Identifier: GPL-2.0-or-later */
/* slurmd_start.h - two ways to start a slurmd that outlives us
 *
 * Once it runs, slurmd.c watches it through a pidfd and signals it by pid, in
 * the same way whoever started it.  slurmd -D keeps its pid when it execs
 * itself after SIGHUP.
 */
#ifndef VOL_SLURMD_START_H
#define VOL_SLURMD_START_H

#include <stdbool.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "device/procs.h"
#include "error.h"

struct vol_slurmd_paths {
	const char *slurmd; /* program */
	const char *log;    /* of child mode */
};

/* Open files that slurmd may have, as in Slurm's own service file. */
#define VOL_SLURMD_NOFILE 131072

/* Arguments of our slurmd, NULL-terminated; the strings are borrowed.  The
 * first is the program to run: the launcher, see launch.c. */
#define VOL_SLURMD_ARGS 12
void vol_slurmd_args(const struct vol_slurmd_paths *paths,
		     const struct vol_slurmd_spec *spec,
		     const char *argv[VOL_SLURMD_ARGS]);

/* As a child of ours in its own session, logging to a file.  Its pid or -1. */
pid_t vol_slurmd_start_child(const struct vol_slurmd_paths *paths,
			     const struct vol_slurmd_spec *spec,
			     struct vol_error *err);

/* As the transient unit slurm-volunteer-slurmd.service of systemd.  done is
 * called once from the loop with its pid, or 0 and the reason. */
struct vol_slurmd_unit;
typedef void (*vol_slurmd_unit_f)(pid_t pid, const char *reason, void *arg);
struct vol_slurmd_unit *vol_slurmd_start_unit(
	sd_event *loop, const struct vol_slurmd_paths *paths,
	const struct vol_slurmd_spec *spec, vol_slurmd_unit_f done, void *arg,
	struct vol_error *err);

/* Stop waiting; NULL-safe, legal inside the callback. */
void vol_slurmd_unit_destroy(struct vol_slurmd_unit *u);

/* Is systemd the init of this machine? */
bool vol_slurmd_have_systemd(void);

#endif
