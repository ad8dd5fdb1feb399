/* SPDX-License-Identifier: GPL-2.0-or-later */
/* owner_act.c - make the ladder's orders so, and tell the controller */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "device/owner_private.h"
#include "log.h"

/* With reaction = throttle, of one CPU: enough for timers and heartbeats of a
 * job, too little to notice. */
#define THROTTLE_PCT 5
/* Memory is taken in pieces, so that the loop answers in between. */
#define RECLAIM_CHUNK (8ULL << 20)
#define RECLAIM_US    (1000ULL)
/* A stopped job's total is told this often. */
#define TELL_PARKED_S 30

/* ---- run, park, throttle ---- */

static void set_throttle(struct vol_owner *o, bool on)
{
	struct vol_error err = {""};

	if (o->throttled == on)
		return;
	if (vol_freezer_throttle(o->freezer, on ? THROTTLE_PCT : 0, &err) < 0) {
		/* Then they are stopped: see run_or_park. */
		if (strcmp(o->throttle_note, err.text) != 0)
			vol_warn("can not throttle: %s", err.text);
		snprintf(o->throttle_note, sizeof(o->throttle_note), "%.150s",
			 err.text);
		/* Some may be slow by now, and nobody would notice later. */
		if (on)
			(void)vol_freezer_throttle(o->freezer, 0, NULL);
		return;
	}
	o->throttled = on;
}

static void run_or_park(struct vol_owner *o, uint64_t seen)
{
	set_throttle(o, o->orders.throttle);
	if (o->held ||
	    (!o->orders.run && !(o->orders.throttle && o->throttled))) {
		vol_reflex_close(o->reflex);
		return;
	}
	if (!vol_freezer_is_closed(o->freezer) ||
	    vol_reflex_open(o->reflex, seen) == 0)
		return;
	/* There was input meanwhile, and the reflex calls us again.  Until then
	 * nothing has changed: nobody is told of an opening that was none, and
	 * parked_max goes on. */
	vol_debug("not opened: input came in between");
	o->ladder = o->before;
}

/* The tasks have stopped by now, or run. */
static void announce(const struct vol_owner *o)
{
	struct vol_link_msg msg = {.type = VOL_LINK_MOVED,
				   .harvest = o->ladder.harvest};

	if (o->ladder.harvest == o->before.harvest)
		return;
	memcpy(msg.why, o->verdict.why, sizeof(msg.why));
	(void)o->ops->report(&msg, o->arg);
	vol_journal_add(o->journal, vol_harvest_name(o->ladder.harvest), "%s",
			o->verdict.why);
	vol_info("%s%s%s", vol_harvest_name(o->ladder.harvest),
		 *o->verdict.why ? ": " : "", o->verdict.why);
}

/* ---- memory ---- */

static void start_reclaim(struct vol_owner *o)
{
	/* A slow disk must not keep us from the fence, and what is saved is
	 * needed once more. */
	if (!o->orders.reclaim || o->fence != VOL_FENCE_OK ||
	    (o->saver && vol_saver_job(o->saver))) {
		o->reclaiming = false;
		sd_event_source_set_enabled(o->reclaim, SD_EVENT_OFF);
		return;
	}
	if (o->reclaiming)
		return;
	o->reclaiming = true;
	o->reclaimed = 0;
	*o->memory_note = '\0';
	sd_event_source_set_time(o->reclaim, 0);
	sd_event_source_set_enabled(o->reclaim, SD_EVENT_ONESHOT);
}

int vol_owner_on_reclaim(sd_event_source *source, uint64_t usec, void *arg)
{
	struct vol_owner *o = arg;
	struct vol_error err = {""};
	int64_t got = vol_freezer_reclaim(o->freezer, RECLAIM_CHUNK, &err);

	(void)usec;
	if (got > 0) {
		o->reclaimed += (uint64_t)got;
		sd_event_source_set_time_relative(source, RECLAIM_US);
		sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
		return 0;
	}
	if (got < 0)
		snprintf(o->memory_note, sizeof(o->memory_note),
			 "parked jobs keep their memory: %.110s", err.text);
	if (o->reclaimed > 0)
		vol_journal_add(o->journal, "reclaimed", "%" PRIu64 " MB",
				o->reclaimed >> 20);
	return 0;
}

/* ---- moving jobs away ---- */

static void keep_evictions(const struct vol_owner *o)
{
	struct vol_error err;

	if (vol_owner_keep_evictions(o, &err) < 0)
		vol_warn("%s", err.text);
}

/* The fence: no time to ask anybody. */
static void kill_all(struct vol_owner *o)
{
	uint32_t jobs[VOL_OWNER_JOBS_MAX];
	size_t n = vol_freezer_jobs(o->freezer, jobs, VOL_OWNER_JOBS_MAX);
	bool news = false;

	for (size_t i = 0; i < n && i < VOL_OWNER_JOBS_MAX; i++) {
		if (vol_evictions_is_fenced(&o->evictions, jobs[i]))
			continue;
		news = true;
		(void)vol_evictions_fenced(&o->evictions, jobs[i]);
		vol_warn("job %" PRIu32 " is ended: the controller was not "
			 "heard and may start it elsewhere",
			 jobs[i]);
		vol_journal_add(o->journal, "fenced", "job %" PRIu32, jobs[i]);
	}
	/* First on disk: whoever finds them dead must know why. */
	if (news)
		keep_evictions(o);
	vol_freezer_kill(o->freezer, 0);
}

static void want(struct vol_owner *o, uint32_t job, bool exclude, bool force,
		 const char *why)
{
	if (!vol_evictions_has(&o->evictions, job)) {
		vol_info("job %" PRIu32 " is to start elsewhere: %s", job, why);
		vol_journal_add(o->journal, "evicting", "job %" PRIu32 ": %s",
				job, why);
	}
	vol_freezer_hold(o->freezer, job, true);
	if (vol_evictions_want(&o->evictions, job, exclude, force, why) < 0)
		vol_err("out of memory: job %" PRIu32 " stays stopped", job);
}

enum judgement { WELCOME, UNWELCOME, UNDECIDED };

/* UNDECIDED: the user database has not answered yet. */
static enum judgement judge_user(struct vol_owner *o, uid_t uid)
{
	const char *users = o->conf->users, *name = NULL;
	char number[16];

	snprintf(number, sizeof(number), "%u", (unsigned)uid);
	if (vol_list_welcomes(users, number))
		return WELCOME;
	switch (vol_users_name(o->users, uid, vol_sensor_now_ms(), &name)) {
	case VOL_USER_KNOWN:
		return vol_list_welcomes(users, name) ? WELCOME : UNWELCOME;
	case VOL_USER_NONE:
		return UNWELCOME;
	case VOL_USER_ASKED:
	default:
		return UNDECIDED;
	}
}

static enum judgement judge(struct vol_owner *o, const struct vol_step *step)
{
	if (!vol_list_welcomes(o->conf->accounts, step->account))
		return UNWELCOME;
	return judge_user(o, step->uid);
}

bool vol_owner_doubts(const struct vol_step *step, void *arg)
{
	struct vol_owner *o = arg;
	enum judgement j = judge(o, step);

	o->undecided |= j == UNDECIDED;
	return j != WELCOME || vol_evictions_is_kept(&o->evictions, step->job);
}

static void check_welcome(const struct vol_step *step, void *arg)
{
	struct vol_owner *o = arg;

	if (!step->job)
		return;
	switch (judge(o, step)) {
	case UNWELCOME:
		want(o, step->job, true, true,
		     "this user or account is not welcome at this device");
		break;
	case UNDECIDED:
		o->undecided = true;
		vol_freezer_hold(o->freezer, step->job, true);
		break;
	case WELCOME:
		/* Held by an earlier doubt. */
		if (o->was_undecided &&
		    !vol_evictions_has(&o->evictions, step->job))
			vol_freezer_hold(o->freezer, step->job, false);
		break;
	}
}

static void evict(struct vol_owner *o)
{
	uint32_t jobs[VOL_OWNER_JOBS_MAX];
	size_t n;

	if (!o->orders.evict && !o->orders.evict_interactive)
		return;
	n = vol_freezer_jobs(o->freezer, jobs, VOL_OWNER_JOBS_MAX);
	for (size_t i = 0; i < n && i < VOL_OWNER_JOBS_MAX; i++)
		want(o, jobs[i], false, o->orders.evict_interactive,
		     o->verdict.why);
}

/* Wishes for jobs that are not here any more, unless we ended them ourselves.
 */
static void drop_gone(struct vol_owner *o, const uint32_t *jobs, size_t n)
{
	struct vol_evictions *e = &o->evictions;
	bool news = false;
	size_t i, j;

	for (i = e->n; i-- > 0;) {
		for (j = 0; j < n && jobs[j] != e->list[i].job; j++)
			;
		if (j < n || e->list[i].fenced)
			continue;
		news |= e->list[i].kept;
		vol_evictions_drop(e, e->list[i].job);
	}
	if (news)
		keep_evictions(o);
}

/* What the controller refused to move goes on where it is, and so does what it
 * was not asked for yet. */
static void let_stay(struct vol_owner *o)
{
	struct vol_evictions *e = &o->evictions;

	for (size_t i = e->n; o->orders.run && i-- > 0;) {
		uint32_t job = e->list[i].job;

		if (e->list[i].exclude ||
		    !(e->list[i].refused ||
		      (e->list[i].saving == VOL_SAVING_WAITS &&
		       !e->list[i].kept)))
			continue;
		vol_evictions_drop(e, job);
		vol_freezer_hold(o->freezer, job, false);
	}
}

static void ask(struct vol_owner *o, uint64_t now_ms, uint64_t *next_ms)
{
	const struct vol_eviction *x;

	while ((x = vol_evictions_due(&o->evictions, now_ms, next_ms))) {
		struct vol_link_msg msg = {
			.type = VOL_LINK_EVICT,
			.job = x->job,
			.exclude = x->exclude,
			.force = x->force,
		};

		if (vol_owner_save_first(o, x, now_ms))
			continue;
		memcpy(msg.why, x->why, sizeof(msg.why));
		/* Once is enough, whatever becomes of the link. */
		if (!x->report || !o->ops->waits(x->report, o->arg))
			vol_evictions_reported(&o->evictions, x->job,
					       o->ops->report(&msg, o->arg));
		if (now_ms + VOL_EVICTION_RETRY_MS < *next_ms)
			*next_ms = now_ms + VOL_EVICTION_RETRY_MS;
	}
}

/* Slurm thaws what it is about to end, but not only that: only the controller
 * knows.  Otherwise tasks that ignore SIGTERM would stay for KillWait. */
static void check_touched(struct vol_owner *o)
{
	struct vol_link_msg msg = {.type = VOL_LINK_CHECK};

	while (o->linked && (msg.job = vol_freezer_touched(o->freezer)) != 0)
		(void)o->ops->send(&msg, o->arg);
}

static void end_job(struct vol_owner *o, uint32_t job)
{
	struct vol_link_msg msg = {.type = VOL_LINK_UNBEGUN, .job = job};

	vol_freezer_kill(o->freezer, job);
	if (vol_freezer_unbegun(o->freezer, job))
		(void)o->ops->send(&msg, o->arg);
}

void vol_owner_message(struct vol_owner *o, const struct vol_link_msg *msg)
{
	if (!vol_evictions_answered(&o->evictions, msg->job, msg->outcome,
				    vol_sensor_now_ms()) &&
	    msg->outcome != VOL_OUTCOME_GONE)
		return;
	vol_info("job %" PRIu32 ": %s%s%s", msg->job,
		 vol_outcome_name(msg->outcome), *msg->reason ? ": " : "",
		 msg->reason);
	vol_journal_add(o->journal, vol_outcome_name(msg->outcome),
			"job %" PRIu32 "%s%s", msg->job,
			*msg->reason ? ": " : "", msg->reason);
	if (msg->outcome != VOL_OUTCOME_REFUSED)
		end_job(o, msg->job);
	else /* Its images were forgotten: it goes on, or may. */
		vol_ckperiod_ended(&o->period.turns, msg->job, VOL_CKEND_GONE);
	keep_evictions(o);
	vol_owner_look(o);
}

/* ---- telling ---- */

static void look_ahead(struct vol_owner *o, time_t wall)
{
	vol_prospect_look(&o->prospect, vol_sensors_readings(o->sensors),
			  vol_sensor_now_ms(), &o->conf->policy.hours, wall);
	o->prospect.battery = vol_sensors_on_battery(o->sensors);
}

void vol_owner_harvest(struct vol_owner *o, struct vol_link_msg *msg)
{
	time_t wall = time(NULL);

	look_ahead(o, wall);
	msg->harvest = o->ladder.harvest;
	snprintf(msg->why, sizeof(msg->why), "%s", o->verdict.why);
	vol_prospect_fill(&o->prospect, wall, msg);
}

void vol_owner_tell(struct vol_owner *o)
{
	struct vol_link_msg msg = {.type = VOL_LINK_HARVEST};

	if (!o->linked)
		return;
	look_ahead(o, time(NULL));
	if (o->told && o->told_harvest == o->ladder.harvest &&
	    strcmp(o->told_why, o->verdict.why) == 0 &&
	    !vol_prospect_differs(&o->prospect, &o->told_prospect))
		return;
	vol_owner_harvest(o, &msg);
	if (o->ops->send(&msg, o->arg) < 0)
		return;
	o->told = true;
	o->told_harvest = msg.harvest;
	memcpy(o->told_why, msg.why, sizeof(o->told_why));
	o->told_prospect = o->prospect;
}

void vol_owner_tell_all(struct vol_owner *o)
{
	o->told = false;
	vol_evictions_ask_again(&o->evictions);
	vol_parkclock_untell(&o->parked);
}

static void tell_parked(struct vol_owner *o, uint64_t now_ms)
{
	struct vol_link_msg msg = {.type = VOL_LINK_PARKED};

	while (o->linked &&
	       (msg.job = vol_parkclock_tell(&o->parked, now_ms, TELL_PARKED_S,
					     &msg.seconds)) != 0)
		if (o->ops->send(&msg, o->arg) < 0)
			return;
}

/* ---- all of it ---- */

/* Held ones are stopped on an open machine, too. */
static void count_parked(struct vol_owner *o, const uint32_t *jobs, size_t n,
			 uint64_t now_ms)
{
	bool stopped[VOL_OWNER_JOBS_MAX];

	for (size_t i = 0; i < n; i++)
		stopped[i] = vol_freezer_is_closed(o->freezer) ||
			     vol_freezer_holds(o->freezer, jobs[i]);
	if (vol_parkclock_jobs(&o->parked, jobs, stopped, n, now_ms) < 0)
		vol_err("out of memory: parked time is not given back");
}

static bool nothing_runs(const struct vol_owner *o)
{
	return !vol_steps_busy(o->steps) ||
	       !vol_evictions_pending(&o->evictions);
}

void vol_owner_act(struct vol_owner *o, uint64_t now_ms, uint64_t seen,
		   uint64_t *next_ms)
{
	uint32_t jobs[VOL_OWNER_JOBS_MAX];
	size_t n;

	/* Before anything is thawed. */
	o->was_undecided = o->undecided;
	o->undecided = false;
	vol_steps_each(o->steps, check_welcome, o);
	if (o->undecided && now_ms + VOL_EVICTION_RETRY_MS < *next_ms)
		*next_ms = now_ms + VOL_EVICTION_RETRY_MS;
	if (o->orders.kill)
		kill_all(o);
	run_or_park(o, seen);
	announce(o);
	/* Held ones are parked on an open machine. */
	if (vol_freezer_is_closed(o->freezer) || o->evictions.n || o->undecided)
		vol_freezer_reap(o->freezer);
	n = vol_freezer_jobs(o->freezer, jobs, VOL_OWNER_JOBS_MAX);
	if (n > VOL_OWNER_JOBS_MAX)
		n = VOL_OWNER_JOBS_MAX;
	count_parked(o, jobs, n, now_ms);
	evict(o);
	check_touched(o);
	let_stay(o);
	drop_gone(o, jobs, n);
	vol_owner_limit_saving(o, now_ms);
	/* Before a job is asked for: it must not come back at once. */
	vol_owner_tell(o);
	ask(o, now_ms, next_ms);
	vol_owner_period(o, now_ms, next_ms);
	tell_parked(o, now_ms);
	start_reclaim(o);
	if (o->verdict.cause == VOL_CAUSE_SLEEP && nothing_runs(o))
		vol_sensors_settled(o->sensors);
}
