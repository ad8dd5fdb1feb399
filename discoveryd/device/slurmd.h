/* SPDX-License-Identifier: GPL-2.0-or-later */
/* slurmd.h - keep the one slurmd running that the controller expects
 *
 * A slurmd that runs already (we were killed) is adopted.  One that dies is
 * started again with a backoff.  Job steps survive a restart of slurmd, but not
 * a change of the node name, which therefore waits until there are none.
 */
#ifndef VOL_SLURMD_H
#define VOL_SLURMD_H

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "device/procs.h"
#include "device/slurmd_start.h"
#include "error.h"
#include "link.h"

struct vol_slurmd;

struct vol_slurmd_ops {
	/* The state is another now. */
	void (*changed)(enum vol_slurmd_state state, void *arg);
	/* Is a slurmstepd alive? */
	bool (*busy)(void *arg);
	/* vol_slurmd_stop is done. */
	void (*stopped)(void *arg);
};

/* systemd: start it as a unit.  paths are borrowed until destroy. */
struct vol_slurmd *vol_slurmd_create(sd_event *loop, bool systemd,
				     const struct vol_slurmd_paths *paths,
				     const struct vol_slurmd_ops *ops,
				     void *arg, struct vol_error *err);

/* Forget it; it goes on running. */
void vol_slurmd_destroy(struct vol_slurmd *s);

/* This one should run; started or restarted as needed. */
void vol_slurmd_want(struct vol_slurmd *s, const struct vol_slurmd_spec *spec);

/* None at all, until the next vol_slurmd_want.  Steps are left alone. */
void vol_slurmd_unwant(struct vol_slurmd *s);

/* Make it register again: SIGHUP. */
void vol_slurmd_reregister(struct vol_slurmd *s, const char *reason);

/* A slurmstepd of its was killed, of which slurmctld would hear in six minutes,
 * when it asks for all that runs here: make it register again as soon as
 * slurmctld makes something of it. */
void vol_slurmd_lost(struct vol_slurmd *s);

/* There is evidence that it works. */
void vol_slurmd_confirm(struct vol_slurmd *s);

/* busy() may have become false. */
void vol_slurmd_idle(struct vol_slurmd *s);

/* SIGTERM, and SIGKILL if that does not help; then ops->stopped, which may be
 * called from inside. */
void vol_slurmd_stop(struct vol_slurmd *s);

enum vol_slurmd_state vol_slurmd_state(const struct vol_slurmd *s);
pid_t vol_slurmd_pid(const struct vol_slurmd *s); /* 0 = none */
/* Node name of the running slurmd, "" = none. */
const char *vol_slurmd_node(const struct vol_slurmd *s);

#endif
