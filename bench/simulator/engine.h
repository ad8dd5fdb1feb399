/* SPDX-License-Identifier: GPL-2.0-or-later */
/* engine.h - jobs on devices, second by second
 *
 * A job takes a device until it is done or the owner is back: then everything
 * since its start is lost (no checkpoint), and it is queued again RESTART_S
 * later, in its old place.  The queue is first come, first served.
 */
#ifndef SIM_ENGINE_H
#define SIM_ENGINE_H

#include "jobs.h"
#include "policies.h"
#include "world.h"

struct outcome {
	size_t jobs, unfinished, evictions;
	double useful_h, wasted_h; /* of device time */
	double makespan_h;         /* first submission to last end */
	double turnaround_h;       /* submission to end, mean */
	size_t starts, choices; /* with more than one device to choose from */
};

/* w is at the start of the jobs and is left at the end, which is that of the
 * trace at the latest; jobs that are not done then count as if they ended
 * there.  0 or -1: no memory. */
int simulate(struct world *w, const struct jobs *jobs, enum policy policy,
	     struct rng rng, struct outcome *out);

#endif
