/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckperiod.h - which job of a device is written down next, and when; pure
 *
 * For jobs that want it while they run, against a device that is gone without a
 * word.  What counts is how long a job has run since its memory was written
 * last: what it would lose.  While it is stopped it loses no more.
 *
 * One after the other: of those that are due the one that is overdue for
 * longest.  One that can not be saved is tried again after its interval, and
 * after each further failure after twice as long, up to VOL_CKPERIOD_BACKOFF
 * doublings; a try that was broken off from outside does not count.
 */
#ifndef VOL_CKPERIOD_H
#define VOL_CKPERIOD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ckplan.h"

#define VOL_CKPERIOD_BACKOFF 6

/* So many times as long as it takes to save a job it is left alone after that:
 * neither it nor the network does little else. */
#define VOL_CKPERIOD_REST 4

/* What is known of a job now. */
struct vol_ckjob {
	uint32_t job, restarts; /* another run is another job */
	uint64_t every_ms;
	bool runs;
};

struct vol_ckturn {
	struct vol_ckjob is;
	uint64_t ran_ms;       /* since the last one that is safe */
	uint64_t since_ms;     /* of it, since its memory was written last */
	unsigned int failures; /* in a row */
};

struct vol_ckperiod {
	struct vol_ckturn *list; /* owned */
	size_t n;
	uint64_t looked_ms;
};

/* All zeros is an empty one. */
void vol_ckperiod_clear(struct vol_ckperiod *p);

/* These are all, as of now_ms of a clock that does not go back; since the last
 * look they were as they were said to be then.  -1 with ENOMEM: all as it was.
 */
int vol_ckperiod_look(struct vol_ckperiod *p, const struct vol_ckjob *jobs,
		      size_t n, uint64_t now_ms);

/* The job that is to be saved now, 0: none.  *wait_ms is lowered to when there
 * may be one, if nothing changes. */
uint32_t vol_ckperiod_due(const struct vol_ckperiod *p, uint64_t *wait_ms);

/* Its memory is written: what it does from the last look on is not in the
 * image.  Nothing happens for a job that is not there, here and below. */
void vol_ckperiod_written(struct vol_ckperiod *p, uint32_t job);

enum vol_ckend {
	VOL_CKEND_SAFE,
	VOL_CKEND_FAILED,
	VOL_CKEND_BROKEN_OFF,
	VOL_CKEND_GONE, /* what was safe is not any more: it is due */
};
void vol_ckperiod_ended(struct vol_ckperiod *p, uint32_t job,
			enum vol_ckend how);

/* Failures of this job in a row. */
unsigned int vol_ckperiod_failures(const struct vol_ckperiod *p, uint32_t job);

/* What a job is saved after: asked_s, or when that is 0 what is planned for a
 * device with this outlook; no more often than the owner wants, nor than takes
 * VOL_CKPERIOD_REST times what e says. */
uint64_t vol_ckperiod_every_ms(uint32_t asked_s,
			       const struct vol_outlook *outlook,
			       const struct vol_ckestimate *e,
			       uint64_t owner_ms);

#endif
