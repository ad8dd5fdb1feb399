/* SPDX-License-Identifier: GPL-2.0-or-later */
/* parkclock.h - for how long each job was stopped here; pure
 *
 * Slurm's time limits go on counting while a job is parked; the controller
 * gives the time back from these totals.
 */
#ifndef VOL_PARKCLOCK_H
#define VOL_PARKCLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vol_parked_job {
	uint32_t job;
	bool here;    /* scratch mark of vol_parkclock_jobs */
	bool stopped; /* since stopped_ms */
	uint64_t stopped_ms;
	uint64_t total_ms; /* before that */
	uint32_t told_s;   /* what the controller knows */
};

struct vol_parkclock {
	struct vol_parked_job *list; /* owned */
	size_t n, size;
	bool changed; /* jobs have come or gone, were stopped or go on; for the
		       * caller to clear */
};

void vol_parkclock_clear(struct vol_parkclock *c);

/* This job's entry, made when there is none; NULL with ENOMEM. */
struct vol_parked_job *vol_parkclock_job(struct vol_parkclock *c, uint32_t job);

/* These jobs are here now, each stopped or not; the others are forgotten.
 * -1 with ENOMEM. */
int vol_parkclock_jobs(struct vol_parkclock *c, const uint32_t *jobs,
		       const bool *stopped, size_t n, uint64_t now_ms);

/* A job whose total the controller does not know yet, and the total in seconds
 * (which is taken as told); 0 = none.  One that is stopped counts only when
 * every_s have passed since it was told last. */
uint32_t vol_parkclock_tell(struct vol_parkclock *c, uint64_t now_ms,
			    uint32_t every_s, uint32_t *seconds);

/* The controller forgot (a new link): tell all again. */
void vol_parkclock_untell(struct vol_parkclock *c);

#endif
