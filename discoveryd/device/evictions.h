/* SPDX-License-Identifier: GPL-2.0-or-later */
/* evictions.h - the jobs that are to start elsewhere, and what came of it
 *
 * A job is wished away, asked for in a report (reporter.h), in another one when
 * that was applied and no answer came, and then either ended here or given
 * back.  Jobs that were killed because the
 * controller may have given us up (fenced) stay in the list when their steps
 * are gone, over a restart too: Slurm takes them for failed until they are
 * requeued.
 *
 * So do those of which an image may be with the controller (kept).  An image is
 * only good as long as nothing has run after it: none of them runs again here
 * before the controller has refused to move it, and so dropped the image.  No
 * clock of its own, no Slurm.
 */
#ifndef VOL_EVICTIONS_H
#define VOL_EVICTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "link.h"

/* Where the fenced and the kept ones are written down. */
#define VOL_FENCED_FILE VOL_RUN_DIR "/fenced"

/* Between two questions for one job: slurmctld may be busy. */
#define VOL_EVICTION_RETRY_MS 5000
/* After an answer a job that is still here is asked for again after this: an
 * administrator may have allowed its requeue meanwhile, or it was moved and has
 * come back under the same number before its old steps were seen to end. */
#define VOL_EVICTION_AGAIN_MS 60000

/* Before it is asked for, a job may be saved (saver.h). */
enum vol_saving {
	VOL_SAVING_NOT_YET,
	VOL_SAVING_WAITS, /* for another one: not asked for yet */
	VOL_SAVING_NOW,   /* nor this */
	VOL_SAVING_OVER,  /* whatever came of it */
};

struct vol_eviction {
	uint32_t job;
	bool exclude; /* never here again */
	bool force;   /* cancel it if it can not be requeued */
	bool fenced;  /* killed already */
	bool kept;    /* saving it has begun */
	bool asked, refused;
	bool granted; /* its steps are about to end */
	enum vol_saving saving;
	uint64_t asked_ms;
	uint64_t report; /* which asks for it, 0 = none */
	char why[VOL_WHY_SIZE];
};

struct vol_evictions {
	struct vol_eviction *list; /* owned */
	size_t n, size;
};

void vol_evictions_clear(struct vol_evictions *e);

/* Wish a job away, or wish it more strongly.  ENOMEM. */
int vol_evictions_want(struct vol_evictions *e, uint32_t job, bool exclude,
		       bool force, const char *why);
/* It was killed for the fence. */
int vol_evictions_fenced(struct vol_evictions *e, uint32_t job);

/* The next that must be asked for now, marked as asked; NULL = none.  next_ms
 * is lowered to when to call again.  What is to be saved first comes when that
 * is over. */
const struct vol_eviction *vol_evictions_due(struct vol_evictions *e,
					     uint64_t now_ms,
					     uint64_t *next_ms);

/* Do not ask for it yet: WAITS, or NOW, which keeps it until it is NOT_YET
 * again. */
void vol_evictions_put_off(struct vol_evictions *e, uint32_t job,
			   enum vol_saving saving);
/* NOT_YET of a job that is not in the list. */
enum vol_saving vol_evictions_saving(const struct vol_evictions *e,
				     uint32_t job);
/* Nothing is being saved any more: what was is due, what WAITS may be next. */
void vol_evictions_saved(struct vol_evictions *e);

/* A report of that number asks for it now: too late to save it. */
void vol_evictions_reported(struct vol_evictions *e, uint32_t job,
			    uint64_t report);

/* Those to be excluded are measured anew: what is not wished away again, and
 * not kept, counts as refused. */
void vol_evictions_pardon(struct vol_evictions *e);

/* A new link: what was asked over the old one may be lost. */
void vol_evictions_ask_again(struct vol_evictions *e);

/* The controller's word; false when we do not wait for that, as while it is
 * being saved: the image would come after it.  REFUSED keeps
 * the wish; everything else grants it, and it is dropped with the steps (one
 * that is fenced has none any more). */
bool vol_evictions_answered(struct vol_evictions *e, uint32_t job,
			    enum vol_outcome outcome, uint64_t now_ms);

bool vol_evictions_is_fenced(const struct vol_evictions *e, uint32_t job);
bool vol_evictions_is_kept(const struct vol_evictions *e, uint32_t job);
/* There may be an image of it from before. */
void vol_evictions_keep(struct vol_evictions *e, uint32_t job);
bool vol_evictions_has(const struct vol_evictions *e, uint32_t job);
/* Its steps are gone, or it may stay after all. */
void vol_evictions_drop(struct vol_evictions *e, uint32_t job);
/* Still waiting for an answer that will come? */
bool vol_evictions_pending(const struct vol_evictions *e);

/* The fenced ones and those that are kept, a line "JOB" or "JOB kept" each, in
 * a file that is replaced atomically. */
int vol_evictions_save(const struct vol_evictions *e, const char *path,
		       struct vol_error *err);
/* A missing file is an empty list. */
int vol_evictions_load(struct vol_evictions *e, const char *path,
		       struct vol_error *err);

#endif
