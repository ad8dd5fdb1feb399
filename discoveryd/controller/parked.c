/* SPDX-License-Identifier: GPL-2.0-or-later */
/* parked.c - the time for which a job was stopped, added to its limit */
#include "config.h"

#include "parked.h"

enum vol_parked_step vol_parked_decide(struct vol_grant *g,
				       const struct vol_slurm_job *job,
				       bool here, time_t now,
				       uint32_t *limit_min)
{
	bool near_end, settle = g->due;
	uint32_t seconds, want;
	uint64_t limit;

	if (!job || !here ||
	    (job->state != VOL_JOB_RUNNING && job->state != VOL_JOB_SUSPENDED))
		return VOL_PARKED_FORGET;
	g->due = false;
	if (g->restarts != job->restarts) { /* a new run, nothing granted yet */
		g->restarts = job->restarts;
		g->granted_min = 0;
	}
	near_end = g->parked && job->end - now < VOL_PARKED_END_S;
	if (job->limit_min == VOL_JOB_UNLIMITED || (!settle && !near_end))
		return VOL_PARKED_NOTHING;
	/* No job was stopped for longer than it has been there. */
	seconds = g->seconds;
	if (now < job->start || seconds > now - job->start)
		seconds = now < job->start ? 0 : (uint32_t)(now - job->start);
	want = seconds / 60 + (seconds % 60 > 0);
	/* Still parked: until the next total comes it must not end. */
	if (!settle)
		want++;
	if (want <= g->granted_min)
		return VOL_PARKED_NOTHING;
	limit = (uint64_t)job->limit_min + want - g->granted_min;
	if (limit >= VOL_JOB_UNLIMITED - 1)
		return VOL_PARKED_NOTHING;
	*limit_min = (uint32_t)limit;
	g->granted_min = want;
	return VOL_PARKED_EXTEND;
}
