/* SPDX-License-Identifier: GPL-2.0-or-later */
/* evict.h - what becomes of a job that must leave a device; pure
 *
 * Eviction is: requeue, tell the device (which then ends the tasks), wait until
 * the job is pending, and then give it back what the requeue cost it.  Slurm
 * makes a requeued job wait for two minutes, until its credentials can not be
 * used any more, and counts its age from zero again.
 */
#ifndef VOL_EVICT_H
#define VOL_EVICT_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "cluster.h"
#include "names.h"

enum vol_evict_step {
	VOL_EVICT_GONE,    /* not a job of this device (any more) */
	VOL_EVICT_REFUSE,  /* it can not be requeued and shall not be lost */
	VOL_EVICT_REQUEUE, /* ask slurmctld to */
	VOL_EVICT_DONE,    /* somebody has requeued it already */
	VOL_EVICT_CANCEL,  /* it can not be requeued, and must go */
};

/* job: NULL if slurmctld does not know it.  here: the asking device's node is
 * in its list; a device speaks for itself only. */
enum vol_evict_step vol_evict_decide(const struct vol_slurm_job *job, bool here,
				     bool force);

/* Was that said of an earlier run of the job?  asked: when the device said it,
 * on our clock.  The run that is there now began later, and is not the one that
 * had to go: a report that comes again, or comes late, does not end it.  (A
 * clock that was set back shows as a start in the future; then it is unknown,
 * and the run is taken for the right one.) */
bool vol_evict_outdated(const struct vol_slurm_job *job, time_t asked,
			time_t now);

/* After this long nobody comes back to a job that is not pending yet. */
#define VOL_REVIVE_MAX_S 3600
/* A job that still runs as if nothing had been was never requeued. */
#define VOL_REVIVE_UNCHANGED_S 60
/* Slurm's own bounds of nice are a few less than those of the type. */
#define VOL_NICE_MIN (-2147483645)

/* What is remembered about a requeued job. */
struct vol_revival {
	uint32_t job;
	uint32_t restarts; /* before */
	uint32_t priority; /* before */
	bool release;      /* slurmctld will hold it for no fault of its own */
	char node[VOL_NODE_NAME_SIZE];    /* which it left; "" = not known */
	char exclude[VOL_NODE_NAME_SIZE]; /* "" or not to start there again */
	time_t since;                     /* it was told to end */
	bool begun; /* begin now was said; not kept on disk */
	uint32_t tries;
};

enum vol_revive_step {
	VOL_REVIVE_WAIT,
	VOL_REVIVE_UPDATE,
	VOL_REVIVE_DROP, /* nothing is left to do */
};

/* What a job that leaves a device loses; since is now.  exclude: it is not to
 * start there again. */
void vol_revival_fill(struct vol_revival *r, const struct vol_slurm_job *job,
		      const char *node, bool exclude, time_t now);

/* On UPDATE *u is what to change; it borrows *nice.  Excluded nodes are the
 * caller's part. */
enum vol_revive_step vol_revive_decide(const struct vol_revival *r,
				       const struct vol_slurm_job *job,
				       time_t now,
				       struct vol_slurm_job_update *u,
				       int32_t *nice);

/* For so long a job is not told to begin while slurmctld might give it the
 * device that it has just left.  A node is drained in less than 1 s, if it can
 * be. */
#define VOL_REVIVE_AJAR_S 5

/* May what vol_revive_decide says be done?  ajar: the node that it left takes
 * no jobs, and slurmctld does not know yet. */
bool vol_revive_may_begin(const struct vol_revival *r, bool ajar, time_t now);

#endif
