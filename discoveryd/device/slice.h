/* SPDX-License-Identifier: GPL-2.0-or-later */
/* slice.h - volunteer jobs in a top-level cgroup of their own
 *
 * Slurm up to 25.05 puts jobs into system.slice whatever anybody says, where
 * no weight helps an owner in user.slice.  So slurmd runs in a cgroup namespace
 * whose root lies below volunteer.slice: what it calls /system.slice is
 * /volunteer.slice/.../system.slice to the rest of the machine.  The program
 * slurm-volunteer-launch enters it and then becomes slurmd.
 */
#ifndef VOL_SLICE_H
#define VOL_SLICE_H

#include <jansson.h>
#include <stdint.h>
#include <sys/types.h>

#include "error.h"

#define VOL_SLICE "volunteer.slice"

/* In the process that becomes slurmd of this node (root, single-threaded):
 * move into a leaf below the slice, into a cgroup namespace whose root is above
 * that leaf, and mount cgroup2 anew.  slurmd then finds the folder of its
 * steps made, so that it does not ask systemd for one.  -1: nothing has changed
 * that slurmd would notice; run it as it is.  The reason is kept in
 * VOL_SLICE_REASON, for vol_slice_json. */
int vol_slice_enter(const char *node, struct vol_error *err);

#define VOL_SLICE_REASON VOL_RUN_DIR "/no-slice"

/* The folder (absolute, with mount point) below which the jobs of this slurmd
 * are, as seen by us: the root of its cgroup namespace, or the folder of its
 * steps when it has none.  -1 with ENOENT when it is gone. */
int vol_slice_of(pid_t slurmd, char *folder, size_t size,
		 struct vol_error *err);

/* The same below a folder that stands for / (tests). */
int vol_slice_find(const char *root, pid_t slurmd, char *folder, size_t size,
		   struct vol_error *err);

/* Lowest weight for the slice (cpu.idle, io.weight) and the owner's ceiling
 * (memory.high, 0 = none) on the folder of vol_slice_of.  What the kernel or
 * systemd does not offer is left out; vol_slice_json says what stands. */
void vol_slice_settle(const char *folder, uint64_t memory_high);

/* {"folder": "...", "own_slice": bool, "cpu_idle": bool, "io_weight": bool,
 *  "memory_high": bytes or null, "missing": "why what is missing is missing"}
 */
json_t *vol_slice_json(const char *folder);

#endif
