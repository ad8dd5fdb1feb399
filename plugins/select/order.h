/* SPDX-License-Identifier: GPL-2.0-or-later */
/* order.h - what Slurm reads to take one node before another
 *
 * The admin's weight and a candidate's level go into its node record for one
 * call of the original, inside slurmctld's node write lock.  Candidates that
 * are dropped are left alone.
 */
#ifndef VOL_SELECT_ORDER_H
#define VOL_SELECT_ORDER_H

#include <stdbool.h>

#include "candidates.h"

/* For a plan, where plans go by weight (VOL_PLANS_BY_WEIGHT). */
void vol_order_by_weight(struct vol_candidates *c);
/* For a start, and for plans before that; fills order. */
void vol_order_by_sched_weight(struct vol_candidates *c, bool start);
/* As it was. */
void vol_order_restore(const struct vol_candidates *c, bool weight);

#endif
