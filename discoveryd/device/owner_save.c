/* SPDX-License-Identifier: GPL-2.0-or-later */
/* owner_save.c - have jobs saved before the controller is asked to move them
 *
 * A favour to the job's user, for which nobody may wait: whatever comes of it,
 * the job is asked for right after, and at once when there is no time.
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "device/owner_private.h"
#include "log.h"
#include "units.h"

/* Of the time that logind grants, what asking for the job and ending it takes,
 * and what a saver takes to end. */
#define SLEEP_REST_MS (1000 + VOL_SAVER_GRACE_MS)
/* Not even a small job is saved in less. */
#define WORTH_MS 500

static uint64_t sleep_left(const struct vol_owner *o, uint64_t now_ms)
{
	uint64_t end_ms = o->sleep_ms + VOL_SLEEP_HOLD_MS - SLEEP_REST_MS;
	uint64_t left_ms = end_ms > now_ms ? end_ms - now_ms : 0;

	return left_ms < WORTH_MS ? 0 : left_ms;
}

/* How long saving may last from now on; 0: it may not, *why says what is
 * against it. */
static uint64_t time_left(const struct vol_owner *o, uint64_t now_ms,
			  const char **why)
{
	uint64_t left_ms = o->conf->checkpoint_ms, sleep_ms;

	*why = NULL;
	if (!o->conf->checkpoint)
		*why = "checkpoint = no";
	else if (o->leaving)
		*why = "discoveryd is leaving";
	else if (o->fence == VOL_FENCE_KILL)
		*why = "the controller was out of reach";
	else if (o->pressed)
		*why = "memory is short here";
	if (*why)
		return 0;
	if (o->sleep_ms) {
		*why = "the machine is about to sleep or shut down";
		sleep_ms = sleep_left(o, now_ms);
		left_ms = sleep_ms < left_ms ? sleep_ms : left_ms;
	}
	return left_ms;
}

/* ---- what came of it ---- */

void vol_owner_note_unsaved(struct vol_owner *o, uint32_t job, const char *why)
{
	vol_warn("not saved: job %" PRIu32 ": %s", job, why);
	vol_journal_add(o->journal, "not saved", "job %" PRIu32 ": %s", job,
			why);
}

static void note_saved(struct vol_owner *o, const struct vol_saved *r)
{
	char size[32], text[64];

	snprintf(text, sizeof(text), "%s in %" PRIu64 ".%" PRIu64 "s",
		 vol_size_format(r->bytes, size, sizeof(size)),
		 r->took_ms / 1000, r->took_ms % 1000 / 100);
	vol_info("saved: job %" PRIu32 ", %s (image %" PRIu32 ")", r->job, text,
		 r->number);
	vol_journal_add(o->journal, "saved", "job %" PRIu32 ", %s", r->job,
			text);
}

static void measure(struct vol_owner *o, const struct vol_saved *r)
{
	/* Of one that saves itself nothing can be learnt. */
	if (!r->memory)
		return;
	/* Written and sent at once: of neither is known what it takes alone. */
	if (r->cause != VOL_CKCAUSE_PERIODIC)
		return;
	/* All that was written, be it while it ran: one that has to leave is
	 * not asked how it would like it. */
	vol_ckrates_dumped(&o->period.rates, r->memory, r->pre_ms + r->dump_ms,
			   r->bytes);
	vol_ckrates_sent(&o->period.rates, r->bytes, r->send_ms);
}

static void on_saved(const struct vol_saved *result, void *arg)
{
	struct vol_owner *o = arg;

	if (result->saved)
		measure(o, result);
	/* It may have become that of a job that leaves. */
	if (result->cause == VOL_CKCAUSE_PERIODIC &&
	    vol_evictions_saving(&o->evictions, result->job) != VOL_SAVING_NOW)
		vol_owner_period_ended(o, result);
	else if (result->saved)
		note_saved(o, result);
	else
		vol_owner_note_unsaved(o, result->job, result->why);
	/* Of a job that runs on more is looked at, which may be what failed. */
	if (result->cause == VOL_CKCAUSE_PERIODIC && !result->saved &&
	    result->took_ms < o->conf->checkpoint_ms &&
	    vol_evictions_saving(&o->evictions, result->job) == VOL_SAVING_NOW)
		vol_evictions_put_off(&o->evictions, result->job,
				      VOL_SAVING_NOT_YET);
	if (!result->saved)
		vol_owner_settle(o);
	vol_owner_look(o);
}

static void on_written(uint32_t job, void *arg)
{
	vol_owner_written(arg, job);
}

static void on_hold(uint32_t job, void *arg)
{
	const struct vol_owner *o = arg;

	vol_freezer_hold(o->freezer, job, true);
}

int vol_owner_save_by(struct vol_owner *o, const char *program,
		      const char *conf, struct vol_error *err)
{
	static const struct vol_saver_ops ops = {on_written, on_saved, on_hold};

	o->saver = vol_saver_create(o->loop, o->freezer, program, conf, &ops, o,
				    err);
	if (!o->saver)
		return -1;
	vol_owner_period_begin(o);
	return 0;
}

/* ---- when ---- */

int vol_owner_keep_evictions(const struct vol_owner *o, struct vol_error *err)
{
	return vol_evictions_save(&o->evictions, o->evictions_file, err);
}

/* For how much of that time a program may run a little that saves itself; not
 * one whose user is not welcome. */
static uint64_t grace(const struct vol_owner *o, const struct vol_step *step,
		      const struct vol_eviction *x, uint64_t ms)
{
	uint64_t grace_ms = o->conf->checkpoint_grace_ms;

	if (!step->signal || x->exclude)
		return 0;
	return grace_ms < ms / 2 ? grace_ms : ms / 2;
}

/* Whoever finds it must know that there may be an image of it. */
static int begin(struct vol_owner *o, const struct vol_step *step, uint64_t ms,
		 uint64_t grace_ms, struct vol_error *err)
{
	bool kept = vol_evictions_is_kept(&o->evictions, step->job);

	vol_evictions_put_off(&o->evictions, step->job, VOL_SAVING_NOW);
	if (vol_owner_keep_evictions(o, err) == 0 &&
	    vol_saver_begin(o->saver, step, VOL_CKCAUSE_EVICT, ms, grace_ms,
			    err) == 0)
		return 0;
	vol_evictions_put_off(&o->evictions, step->job, VOL_SAVING_NOT_YET);
	if (kept)
		vol_evictions_keep(&o->evictions, step->job);
	(void)vol_owner_keep_evictions(o, NULL);
	return -1;
}

/* Until what is being saved has ended, which may be this one. */
static void put_off(struct vol_owner *o, uint32_t job)
{
	if (vol_owner_period_serves(o, job)) {
		vol_evictions_put_off(&o->evictions, job, VOL_SAVING_NOW);
		(void)vol_owner_keep_evictions(o, NULL);
	} else {
		vol_evictions_put_off(&o->evictions, job, VOL_SAVING_WAITS);
		vol_owner_limit_period(o);
	}
}

bool vol_owner_save_first(struct vol_owner *o, const struct vol_eviction *x,
			  uint64_t now_ms)
{
	struct vol_error err = {""};
	struct vol_step step;
	const char *why;
	uint64_t ms;

	if (!o->saver || x->saving == VOL_SAVING_OVER || x->fenced ||
	    !vol_steps_to_save(o->steps, x->job, &step))
		return false;
	ms = time_left(o, now_ms, &why);
	if (ms > 0 && (!o->linked || o->fence != VOL_FENCE_OK)) {
		why = "no link to the controller";
		ms = 0;
	}
	if (ms > 0 && vol_saver_job(o->saver)) {
		put_off(o, x->job);
		return true;
	}
	if (ms > 0 && begin(o, &step, ms, grace(o, &step, x, ms), &err) == 0) {
		vol_info("job %" PRIu32 " is being saved", x->job);
		return true;
	}
	vol_owner_note_unsaved(o, x->job, ms > 0 ? err.text : why);
	return false;
}

void vol_owner_limit_saving(struct vol_owner *o, uint64_t now_ms)
{
	const char *why;
	uint32_t job;
	uint64_t ms;

	if (o->verdict.cause != VOL_CAUSE_SLEEP)
		o->sleep_ms = 0;
	else if (!o->sleep_ms)
		o->sleep_ms = now_ms;
	job = o->saver ? vol_saver_job(o->saver) : 0;
	if (job && vol_owner_limit_period(o))
		return;
	if (job) {
		ms = time_left(o, now_ms, &why);
		if (!vol_evictions_has(&o->evictions, job)) {
			why = "it has ended, or may stay";
			ms = 0;
		}
		vol_saver_limit(o->saver, ms, why);
		if (ms > 0)
			return;
	}
	vol_evictions_saved(&o->evictions);
}
