/* SPDX-License-Identifier: GPL-2.0-or-later */
/* roster.h - the controller's devices: registry on disk, members in memory */
#ifndef VOL_ROSTER_H
#define VOL_ROSTER_H

#include "controller.h"

/* Read state_dir/registry.json and make a member for each device. */
int vol_roster_load(struct vol_controller *c, struct vol_error *err);

/* In the table as last heard; NULL if not there. */
const struct vol_slurm_node *vol_roster_node(const struct vol_controller *c,
					     const char *name);

#endif
