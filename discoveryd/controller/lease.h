/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lease.h - the longest lease that a device may still go by
 *
 * A device keeps its jobs for as long as it was told, also when lost_after was
 * made shorter meanwhile, and also while we are restarted: to give it up any
 * earlier would run its jobs twice.  What one that is linked was told is known;
 * for the others the longest is kept in state_dir/lease, written before any
 * device is told.
 */
#ifndef VOL_LEASE_H
#define VOL_LEASE_H

#include <stdint.h>

#include "error.h"

struct vol_controller;

/* At start, before the members are made. */
int vol_lease_load(struct vol_controller *c, struct vol_error *err);

/* What a device that is not linked yet may have been told. */
uint32_t vol_lease_floor(const struct vol_controller *c);

/* lost_after or the members changed: write the file when it is too short, or
 * longer than anybody needs. */
void vol_lease_settle(struct vol_controller *c);

#endif
