/* SPDX-License-Identifier: GPL-2.0-or-later */
/* roster.h - the controller's devices: registry on disk, members in memory */
#ifndef VOL_ROSTER_H
#define VOL_ROSTER_H

#include "controller.h"

/* Read state_dir/registry.json and make a member for each device. */
int vol_roster_load(struct vol_controller *c, struct vol_error *err);

/* Have nodes deleted that bear the label of a device whose node has another
 * name, and on which no job is.  slurmctld writes its state down every five
 * seconds at most (SAVE_MAX_WAIT in slurmctld/state_save.c), so one that is
 * killed right after a node was deleted knows it again, and would take it for a
 * node without an owner.  all: its table just now. */
void vol_roster_sweep(struct vol_controller *c,
		      const struct vol_slurm_snapshot *all);

#endif
