/* SPDX-License-Identifier: GPL-2.0-or-later */
/* owner_period.c - have jobs saved while nobody needs the machine, so that
 * little is lost when it is gone without a word
 *
 * The step is held (freezer.h) for as long as its memory is written, and goes
 * on while that is sent.  Of a large one most is written before, while it runs,
 * and stops and goes as any other.  Whose turn it is says lib/ckperiod.h.
 *
 * An owner who comes in between costs the job nothing: what is being written is
 * written to its end, by something that has only what the machine can spare,
 * and the job stays stopped; a CRIU that is killed half-way may leave a process
 * in a state that is not its own.  Sending ends at once.  When the job has to
 * leave while it is being written, that is what it is saved by; when it has run
 * on since, it is saved once more.
 */
#include "config.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "atomicfile.h"
#include "cleanup.h"
#include "device/owner_private.h"
#include "log.h"
#include "units.h"

/* A new outlook so often; it changes slowly. */
#define OUTLOOK_MS 60000
/* What the habits of the owner are kept in, so often. */
#define HABIT_NAME    "habit"
#define HABIT_SAVE_MS 3600000
/* When somebody is at the machine is nobody's business. */
#define HABIT_MODE 0600
/* Then what is written is removed. */
#define BREAK_OFF_MS 1
/* Longer than any image takes that is worth it. */
#define LIMIT_MAX_MS 3600000
/* A dump that was called off, by us or by the one before us, is over after this
 * (CALM_S in sandbox/checkpoint/dump.c, and some more). */
#define SETTLE_MS       15000
#define SETTLE_EVERY_MS 1000

/* NULL: a job may be saved now for its own sake; else why not. */
static const char *objection(const struct vol_owner *o)
{
	if (!o->conf->checkpoint)
		return "checkpoint = no";
	if (o->leaving)
		return "discoveryd is leaving";
	if (!o->linked || o->fence != VOL_FENCE_OK)
		return "no link to the controller";
	if (!o->orders.run || vol_freezer_is_closed(o->freezer))
		return "somebody needs the machine";
	for (size_t i = 0; i < o->evictions.n; i++)
		if (o->evictions.list[i].saving == VOL_SAVING_WAITS)
			return "another job has to leave";
	return NULL;
}

/* ---- when the owner will be back ---- */

static int64_t local(time_t wall)
{
	struct tm tm;

	return localtime_r(&wall, &tm) ? wall + tm.tm_gmtoff : wall;
}

static int habit_path(const struct vol_owner *o, char path[PATH_MAX])
{
	return snprintf(path, PATH_MAX, "%s/" HABIT_NAME, o->conf->state_dir) <
			       PATH_MAX
		       ? 0
		       : -1;
}

static void save_habit(struct vol_owner *o)
{
	uint8_t code[VOL_AVAILABILITY_SIZE];
	struct vol_error err;
	char path[PATH_MAX];

	if (!o->period.habit || habit_path(o, path) < 0)
		return;
	vol_availability_encode(o->period.habit, code);
	if (vol_file_replace(path, code, sizeof(code), HABIT_MODE, 0, &err) < 0)
		vol_warn("%s", err.text);
}

static void load_habit(struct vol_owner *o)
{
	cleanup_free char *code = NULL;
	struct vol_error err = {""};
	char path[PATH_MAX];
	size_t len;

	if (habit_path(o, path) == 0)
		code = vol_file_read(path, VOL_AVAILABILITY_SIZE, &len, NULL);
	if (code)
		o->period.habit =
			vol_availability_decode((uint8_t *)code, len, &err);
	if (code && !o->period.habit)
		vol_warn("%s: %s: begun anew", path, err.text);
	if (!o->period.habit)
		o->period.habit = vol_availability_create(local(time(NULL)));
}

static void note_habit(struct vol_owner *o, uint64_t now_ms, uint64_t *next_ms)
{
	struct vol_owner_period *p = &o->period;
	uint64_t again_ms = now_ms + VOL_AVAILABILITY_GAP_S * 1000ULL / 2;

	if (!p->habit)
		return;
	vol_availability_note(p->habit, local(time(NULL)),
			      o->ladder.harvest == VOL_HARVEST_OPEN
				      ? VOL_AVAILABLE_YES
				      : VOL_AVAILABLE_NO);
	if (now_ms - p->habit_saved_ms >= HABIT_SAVE_MS) {
		save_habit(o);
		p->habit_saved_ms = now_ms;
	}
	*next_ms = again_ms < *next_ms ? again_ms : *next_ms;
}

static const struct vol_outlook *outlook(struct vol_owner *o, uint64_t now_ms)
{
	struct vol_owner_period *p = &o->period;
	time_t wall = time(NULL);
	const struct vol_spell spell = {
		.now = local(wall),
		.away_since = local(wall) - o->prospect.away_s,
		.closes_at = o->prospect.closes_at
				     ? local(o->prospect.closes_at)
				     : 0,
		.on_battery = o->prospect.battery,
	};

	if (p->outlook_ms && now_ms - p->outlook_ms < OUTLOOK_MS)
		return &p->outlook;
	/* All ones: nobody ever comes. */
	memset(&p->outlook, 0xff, sizeof(p->outlook));
	if (p->habit)
		vol_availability_outlook(p->habit, &spell, &p->outlook);
	p->outlook_ms = now_ms;
	return &p->outlook;
}

/* ---- whose turn it is ---- */

struct collecting {
	struct vol_owner *o;
	uint64_t now_ms;
	size_t n;
	struct vol_ckjob jobs[VOL_OWNER_JOBS_MAX];
};

static void estimate(const struct vol_owner *o, const struct vol_step *step,
		     uint64_t *memory, struct vol_ckestimate *e)
{
	/* Of one that saves itself none is written. */
	*memory =
		step->signal ? 0 : vol_freezer_memory(o->freezer, step->stepd);
	vol_ckestimate(&o->period.rates, *memory, e);
}

static uint64_t interval(struct vol_owner *o, const struct vol_step *step,
			 uint64_t now_ms)
{
	bool planned = step->every_s == VOL_STEP_EVERY_AUTO;
	struct vol_ckestimate e;
	uint64_t memory;

	estimate(o, step, &memory, &e);
	return vol_ckperiod_every_ms(planned ? 0 : step->every_s,
				     planned ? outlook(o, now_ms) : NULL, &e,
				     o->conf->checkpoint_every_ms);
}

static void collect(const struct vol_step *step, void *arg)
{
	struct collecting *c = arg;
	struct vol_owner *o = c->o;

	if (!step->job || !step->save || !step->born || !step->every_s ||
	    c->n == VOL_OWNER_JOBS_MAX)
		return;
	c->jobs[c->n++] = (struct vol_ckjob){
		.job = step->job,
		.restarts = step->restarts,
		.every_ms = interval(o, step, c->now_ms),
		.runs = !vol_freezer_is_closed(o->freezer) &&
			!vol_freezer_holds(o->freezer, step->job) &&
			!vol_evictions_has(&o->evictions, step->job),
	};
}

static void look(struct vol_owner *o, uint64_t now_ms)
{
	struct collecting c = {.o = o, .now_ms = now_ms};

	vol_steps_each(o->steps, collect, &c);
	if (vol_ckperiod_look(&o->period.turns, c.jobs, c.n, now_ms) < 0)
		vol_err("out of memory: no running job is saved");
}

/* ---- begin and end ---- */

static void note_failed(struct vol_owner *o, uint32_t job, const char *why)
{
	struct vol_step step;

	vol_ckperiod_ended(&o->period.turns, job, VOL_CKEND_FAILED);
	/* It is tried again, and fails again, maybe; or it has just ended. */
	if (vol_ckperiod_failures(&o->period.turns, job) == 1 &&
	    vol_steps_to_save(o->steps, job, &step))
		vol_owner_note_unsaved(o, job, why);
	else
		vol_debug("not saved: job %" PRIu32 ": %s", job, why);
}

/* Where it pays, it is stopped only for what could not be written before. */
static int start(struct vol_owner *o, const struct vol_step *step,
		 uint64_t memory, uint64_t ms, struct vol_error *err)
{
	if (memory >= VOL_SAVER_PRE_LEAST)
		return vol_saver_begin_before(o->saver, step, ms, err);
	vol_freezer_hold(o->freezer, step->job, true);
	return vol_saver_begin(o->saver, step, VOL_CKCAUSE_PERIODIC, ms, 0,
			       err);
}

static int begin(struct vol_owner *o, uint32_t job, uint64_t now_ms,
		 struct vol_error *err)
{
	struct vol_ckbudget budget = {.time_ms = o->conf->checkpoint_ms,
				      .disk = UINT64_MAX,
				      .network = UINT64_MAX};
	uint64_t memory, limit_ms;
	struct vol_ckestimate e;
	struct vol_step step;

	if (!vol_steps_to_save(o->steps, job, &step))
		return vol_errorf(err, "it has ended");
	estimate(o, &step, &memory, &e);
	/* While it is sent nobody waits. */
	e.send_ms = 0;
	if (vol_ckplan_affords(&e, memory, &budget, err) < 0)
		return -1;
	limit_ms = interval(o, &step, now_ms);
	if (limit_ms < o->conf->checkpoint_ms)
		limit_ms = o->conf->checkpoint_ms;
	if (limit_ms > LIMIT_MAX_MS)
		limit_ms = LIMIT_MAX_MS;
	if (start(o, &step, memory, limit_ms, err) < 0) {
		vol_freezer_hold(o->freezer, job, false);
		return -1;
	}
	o->period.broken_off = false;
	vol_debug("job %" PRIu32 " is being saved, and goes on", job);
	return 0;
}

void vol_owner_settle(struct vol_owner *o)
{
	o->period.settle_until_ms = vol_sensor_now_ms() + SETTLE_MS;
}

static void settle(struct vol_owner *o, uint64_t now_ms, uint64_t *next_ms)
{
	if (now_ms >= o->period.settle_until_ms)
		return;
	vol_freezer_assert(o->freezer);
	if (now_ms + SETTLE_EVERY_MS < *next_ms)
		*next_ms = now_ms + SETTLE_EVERY_MS;
}

void vol_owner_period(struct vol_owner *o, uint64_t now_ms, uint64_t *next_ms)
{
	struct vol_owner_period *p = &o->period;
	uint64_t wait_ms = UINT64_MAX / 2;
	struct vol_error err;
	uint32_t job;

	if (!o->saver)
		return;
	settle(o, now_ms, next_ms);
	note_habit(o, now_ms, next_ms);
	look(o, now_ms);
	if (vol_saver_job(o->saver) || objection(o))
		return;
	while ((job = vol_ckperiod_due(&p->turns, &wait_ms)) != 0) {
		if (begin(o, job, now_ms, &err) == 0)
			return;
		note_failed(o, job, err.text);
	}
	if (now_ms + wait_ms < *next_ms)
		*next_ms = now_ms + wait_ms;
}

/* It goes on, unless it has to leave by now.  Whoever is not known to be
 * welcome goes on when that is known (owner_act.c). */
static void let_go(struct vol_owner *o, uint32_t job)
{
	if (!vol_evictions_has(&o->evictions, job) && !o->undecided)
		vol_freezer_hold(o->freezer, job, false);
}

void vol_owner_written(struct vol_owner *o, uint32_t job)
{
	if (vol_saver_cause(o->saver) != VOL_CKCAUSE_PERIODIC ||
	    vol_evictions_has(&o->evictions, job))
		return;
	vol_ckperiod_written(&o->period.turns, job);
	vol_saver_give_back(o->saver);
	let_go(o, job);
	vol_owner_look(o);
}

void vol_owner_period_ended(struct vol_owner *o, const struct vol_saved *r)
{
	let_go(o, r->job);
	if (r->saved) {
		vol_ckperiod_ended(&o->period.turns, r->job, VOL_CKEND_SAFE);
		vol_info("job %" PRIu32 " goes on, saved as image %" PRIu32
			 " (stopped for %" PRIu32 " ms)",
			 r->job, r->number, r->dump_ms);
	} else if (o->period.broken_off) {
		vol_ckperiod_ended(&o->period.turns, r->job,
				   VOL_CKEND_BROKEN_OFF);
		vol_debug("not saved: job %" PRIu32 ": %s", r->job, r->why);
	} else {
		note_failed(o, r->job, r->why);
	}
}

/* ---- somebody comes ---- */

bool vol_owner_period_serves(const struct vol_owner *o, uint32_t job)
{
	return vol_saver_job(o->saver) == job &&
	       vol_saver_cause(o->saver) == VOL_CKCAUSE_PERIODIC &&
	       !vol_saver_written(o->saver);
}

bool vol_owner_limit_period(struct vol_owner *o)
{
	uint32_t job = vol_saver_job(o->saver);
	enum vol_saving saving = vol_evictions_saving(&o->evictions, job);
	bool written = vol_saver_written(o->saver);
	const char *why = objection(o);

	if (vol_saver_cause(o->saver) != VOL_CKCAUSE_PERIODIC ||
	    saving == VOL_SAVING_NOW)
		return false;
	if (vol_evictions_has(&o->evictions, job))
		why = "it has to leave";
	/* What is half-way is left to end by itself, see above, unless the job
	 * has been asked for without it. */
	if (!why || (!written && saving != VOL_SAVING_OVER))
		return true;
	o->period.broken_off = true;
	vol_saver_limit(o->saver, written ? BREAK_OFF_MS : 0, why);
	return true;
}

/* ---- life ---- */

void vol_owner_period_begin(struct vol_owner *o)
{
	vol_ckrates_init(&o->period.rates);
	o->period.habit_saved_ms = vol_sensor_now_ms();
	vol_owner_settle(o);
	load_habit(o);
}

void vol_owner_period_end(struct vol_owner *o)
{
	save_habit(o);
	vol_availability_destroy(o->period.habit);
	o->period.habit = NULL;
	vol_ckperiod_clear(&o->period.turns);
}
