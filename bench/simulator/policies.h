/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policies.h - which of the open devices a job gets
 *
 * random          any
 * first-fit       the first of the list, as Slurm does
 * longest-idle    whose owner is away for longest: what HTCondor users write
 *                 (RANK = KeyboardIdle)
 * order-only      the product's model, score and levels, then the first; what
 *                 max_risk = 100% makes of it
 * oracle          knows when each owner comes back and how long the job really
 *                 runs.  It takes the device that stays open just long enough
 *                 (best fit: the others are kept for longer jobs), and if none
 *                 does the one that closes first, where least is lost.  That is
 *                 the best for this job, and a good guess for all of them: the
 *                 order of jobs to come is not looked at.
 *
 * All of these start the job at the head of the queue whenever a device is open
 * and free, as Slurm does.  Two may let it wait, and look at the next job:
 *
 * ours            as order-only, on devices whose risk vol_score_allowed takes
 * patient-oracle  as oracle, but waits as long as no device stays open for long
 *                 enough, for VOL_SCORE_PATIENCE run times at most
 */
#ifndef SIM_POLICIES_H
#define SIM_POLICIES_H

#include "jobs.h"
#include "world.h"

enum policy {
	POLICY_RANDOM,
	POLICY_FIRST_FIT,
	POLICY_LONGEST_IDLE,
	POLICY_ORDER_ONLY,
	POLICY_ORACLE,
	POLICY_OURS,
	POLICY_PATIENT_ORACLE,
	POLICIES,
};

extern const char *const policy_names[POLICIES];

/* What beginning again costs, as the scorer is told. */
#define RESTART_S 60

/* One of n > 0 indices of w->device; they ascend.  waited_s: since the job was
 * submitted, or evicted last.  SIZE_MAX: it waits. */
size_t policy_choose(enum policy policy, struct world *w, const struct job *job,
		     uint32_t waited_s, const size_t *candidates, size_t n,
		     struct rng *rng);

#endif
