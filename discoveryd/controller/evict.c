/* SPDX-License-Identifier: GPL-2.0-or-later */
/* evict.c - what becomes of a job that must leave a device */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "evict.h"

/* More tries than any priority plugin needs to settle. */
#define TRIES_MAX 5

enum vol_evict_step vol_evict_decide(const struct vol_slurm_job *job, bool here,
				     bool force)
{
	if (!job || !here)
		return VOL_EVICT_GONE;
	switch (job->state) {
	case VOL_JOB_PENDING:
		/* Its nodes are named while its processes are being ended. */
		return VOL_EVICT_DONE;
	case VOL_JOB_RUNNING:
	case VOL_JOB_SUSPENDED:
		if (job->batch && job->requeue)
			return VOL_EVICT_REQUEUE;
		return force ? VOL_EVICT_CANCEL : VOL_EVICT_REFUSE;
	case VOL_JOB_FAILED:
		/* By the hand of a device that had to end it while it was cut
		 * off; a program that failed by itself has failed. */
		return job->killed && job->batch && job->requeue
			       ? VOL_EVICT_REQUEUE
			       : VOL_EVICT_GONE;
	default:
		return VOL_EVICT_GONE;
	}
}

bool vol_evict_outdated(const struct vol_slurm_job *job, time_t asked,
			time_t now)
{
	return job && job->state != VOL_JOB_PENDING && job->start > asked &&
	       job->start <= now;
}

void vol_revival_fill(struct vol_revival *r, const struct vol_slurm_job *job,
		      const char *node, bool exclude, time_t now)
{
	memset(r, 0, sizeof(*r));
	r->job = job->id;
	r->restarts = job->restarts;
	r->priority = job->priority;
	/* Suspending zeroes the priority, which makes a requeued job a held
	 * one. */
	r->release = job->state == VOL_JOB_SUSPENDED && !job->priority;
	snprintf(r->node, sizeof(r->node), "%s", node);
	snprintf(r->exclude, sizeof(r->exclude), "%s", exclude ? node : "");
	r->since = now;
}

/* Nice that brings the priority back to what it was: exact in priority/basic,
 * and in priority/multifactor, where the age grows on from there. */
static bool needs_nice(const struct vol_revival *r,
		       const struct vol_slurm_job *job, int32_t *nice)
{
	int64_t value;

	/* 0 is a hold, not a rank; 1 is what the sum of a young job's factors
	 * comes to at the least. */
	if (job->held || !job->priority || job->priority >= r->priority)
		return false;
	value = (int64_t)job->nice - (r->priority - job->priority);
	*nice = value < VOL_NICE_MIN ? VOL_NICE_MIN : (int32_t)value;
	return *nice != job->nice;
}

enum vol_revive_step vol_revive_decide(const struct vol_revival *r,
				       const struct vol_slurm_job *job,
				       time_t now,
				       struct vol_slurm_job_update *u,
				       int32_t *nice)
{
	memset(u, 0, sizeof(*u));
	if (!job || r->tries >= TRIES_MAX || now - r->since > VOL_REVIVE_MAX_S)
		return VOL_REVIVE_DROP;
	/* Whatever it was before, its next life has begun, or it has none. */
	if (job->state != VOL_JOB_PENDING && !job->completing &&
	    (job->restarts != r->restarts ||
	     now - r->since > VOL_REVIVE_UNCHANGED_S))
		return VOL_REVIVE_DROP;
	/* A start that is put forward earlier than this is put off again. */
	if (job->state != VOL_JOB_PENDING || job->completing)
		return VOL_REVIVE_WAIT;
	/* A slurmd takes nothing of a job that began in the second in which it
	 * had to end that job, or before; Slurm fails the job for it. */
	if (now <= r->since)
		return VOL_REVIVE_WAIT;
	u->begin_now = !r->begun;
	u->release = !r->begun && r->release && job->held;
	if (needs_nice(r, job, nice))
		u->nice = nice;
	return u->begin_now || u->nice ? VOL_REVIVE_UPDATE : VOL_REVIVE_DROP;
}

bool vol_revive_may_begin(const struct vol_revival *r, bool ajar, time_t now)
{
	/* The list of nodes that it is not for goes with the begin. */
	return r->begun || *r->exclude || !ajar ||
	       now - r->since >= VOL_REVIVE_AJAR_S;
}
