/* SPDX-License-Identifier: GPL-2.0-or-later */
/* jobs.h - what scientists submit
 *
 * Campaigns: half of them one job, the others 2 to 20 that are alike.  Seven of
 * ten are submitted in working hours, the rest at any time.  By run time: 45 %
 * of campaigns 5 to 30 minutes, 30 % up to two hours, 18 % up to six, 7 % up to
 * 14 (in CPU hours the long ones weigh most).  The time limit, which is all
 * that a scheduler knows, is 1.1 to 2 times the longest job of the campaign,
 * rounded up to 5 (above an hour 30) minutes.
 */
#ifndef SIM_JOBS_H
#define SIM_JOBS_H

#include <stddef.h>
#include <stdint.h>

#include "rng.h"

struct job {
	int64_t submit; /* seconds from the trace's start */
	uint32_t run_s, limit_s;
};

struct jobs {
	struct job *job; /* by submit */
	size_t n, room;
};

/* So many that they need work_s seconds of devices, submitted from start until
 * end (whole days; start is a Monday).  0 or -1: no memory. */
int jobs_generate(struct jobs *jobs, struct rng rng, int64_t start, int64_t end,
		  double work_s);
void jobs_clear(struct jobs *jobs);

#endif
