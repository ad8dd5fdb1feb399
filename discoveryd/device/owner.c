/* SPDX-License-Identifier: GPL-2.0-or-later */
/* owner.c - what happens at the machine, and what follows
 *
 * One function looks at everything that is known and decides; all events end
 * in it.  The reflex has closed the freezer by then: being late here keeps
 * jobs stopped for longer, never running.
 */
#include "config.h"

#include "device/owner.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device/identity.h"
#include "device/owner_private.h"
#include "device/park_file.h"
#include "log.h"

/* While parked jobs are here: signals of Slurm, memory pressure and the fence
 * are looked at this often; the fence alone while an answer is overdue. */
#define TICK_MS 1000

/* ---- deciding ---- */

static void look_at_fence(struct vol_owner *o, uint64_t now_ms,
			  uint64_t *next_ms)
{
	struct vol_fence fence = {0};

	o->ops->fence(&fence, o->arg);
	/* Never welcomed since our start: jobs that were here before may have
	 * been given to somebody else. */
	o->fence = VOL_FENCE_PARK;
	if (fence.armed)
		o->fence = vol_fence_look(&fence, now_ms, next_ms);
	/* The answer that it waits for may only be late. */
	if (o->linked && o->fence != VOL_FENCE_OK &&
	    now_ms + TICK_MS < *next_ms)
		*next_ms = now_ms + TICK_MS;
}

static void decide(struct vol_owner *o, uint64_t now_ms, uint64_t *next_ms)
{
	struct vol_circumstances c = {
		.now_ms = now_ms,
		.wall = time(NULL),
		.leaving = o->leaving,
		.walls = *o->walls ? o->walls : NULL,
	};

	if (vol_pause_over(&o->pause, c.wall)) {
		vol_journal_add(o->journal, "resumed", "the pause is over");
		(void)vol_pause_save(o->conf->state_dir, &o->pause, NULL);
	}
	c.paused = o->pause.on;
	c.pause_until = o->pause.until;
	look_at_fence(o, now_ms, next_ms);
	c.cut_off = o->fence != VOL_FENCE_OK;
	vol_presence_fuse(vol_sensors_readings(o->sensors),
			  o->conf->policy.unknown_is_present,
			  o->conf->policy.idle_after_ms, now_ms, &o->presence);
	vol_policy_decide(&o->conf->policy, &o->presence, &c, &o->verdict);
	if (o->presence.next_ms < *next_ms)
		*next_ms = o->presence.next_ms;
	if (o->verdict.next_ms < *next_ms)
		*next_ms = o->verdict.next_ms;
}

static bool pressure_is_high(const struct vol_owner *o)
{
	return vol_sensors_memory_pressure(o->sensors) >=
	       (double)o->conf->policy.max_pressure_pct;
}

static void climb(struct vol_owner *o, uint64_t now_ms, uint64_t *next_ms)
{
	struct vol_ladder_input in = {
		.now_ms = now_ms,
		.verdict = o->verdict,
		.busy = vol_steps_busy(o->steps),
		.interactive_only = vol_steps_interactive_only(o->steps),
		.fence = o->fence == VOL_FENCE_KILL,
	};

	o->before = o->ladder;
	in.pressure_high = in.busy && !o->verdict.open && pressure_is_high(o);
	o->pressed = in.pressure_high;
	vol_ladder_step(&o->ladder, &o->conf->policy, &in, &o->orders);
	if (o->orders.next_ms < *next_ms)
		*next_ms = o->orders.next_ms;
	if (in.busy && (!o->orders.run || o->evictions.n) &&
	    now_ms + TICK_MS < *next_ms)
		*next_ms = now_ms + TICK_MS;
}

/* The slow sensors matter unless the answer is "closed" anyway. */
static void watch(struct vol_owner *o)
{
	vol_sensors_watch(o->sensors,
			  o->verdict.cause != VOL_CAUSE_PAUSED &&
				  o->verdict.cause != VOL_CAUSE_HOURS &&
				  o->verdict.cause != VOL_CAUSE_LEAVING);
}

/* Since when jobs are parked: a restart of ours is no news to the owner. */
static void keep_parked(struct vol_owner *o)
{
	uint64_t closed_ms =
		o->ladder.harvest == VOL_HARVEST_OPEN ? 0 : o->ladder.closed_ms;
	struct vol_error err;

	if (closed_ms == o->saved_closed_ms && !o->parked.changed)
		return;
	o->saved_closed_ms = closed_ms;
	o->parked.changed = false;
	if (vol_park_file_save(VOL_PARK_FILE, o->boot, closed_ms, &o->parked,
			       &err) < 0)
		vol_warn("%s", err.text);
}

void vol_owner_look(struct vol_owner *o)
{
	uint64_t now_ms = vol_sensor_now_ms(), next_ms = UINT64_MAX;
	struct vol_reflex_state input;

	/* In this order: an input after this count keeps the freezer closed
	 * whatever is decided here. */
	vol_reflex_state(o->reflex, &input);
	vol_sensors_input(o->sensors);
	decide(o, now_ms, &next_ms);
	climb(o, now_ms, &next_ms);
	vol_owner_act(o, now_ms, input.inputs, &next_ms);
	vol_owner_tell(o);
	keep_parked(o);
	watch(o);
	if (next_ms == UINT64_MAX) {
		sd_event_source_set_enabled(o->timer, SD_EVENT_OFF);
		return;
	}
	sd_event_source_set_time(o->timer, next_ms * 1000);
	sd_event_source_set_enabled(o->timer, SD_EVENT_ONESHOT);
}

/* ---- events ---- */

static int on_timer(sd_event_source *source, uint64_t usec, void *arg)
{
	(void)source;
	(void)usec;
	vol_owner_look(arg);
	return 0;
}

static void on_change(void *arg)
{
	struct vol_owner *o = arg;

	/* Sensors report while they are being created, too. */
	if (o->sensors && o->timer)
		vol_owner_look(o);
}

void vol_owner_steps(struct vol_owner *o)
{
	vol_owner_look(o);
}

void vol_owner_reload(struct vol_owner *o, const struct vol_device_conf *conf)
{
	o->conf = conf;
	/* Those who are still not welcome are wished away again. */
	vol_evictions_pardon(&o->evictions);
	vol_sensors_reload(o->sensors, &conf->policy, conf->input_devices);
	vol_owner_look(o);
}

void vol_owner_jobs_cgroup(struct vol_owner *o, const char *folder)
{
	if (strcmp(o->jobs_cgroup, folder) == 0)
		return;
	snprintf(o->jobs_cgroup, sizeof(o->jobs_cgroup), "%s", folder);
	vol_sensors_jobs(o->sensors, o->jobs_cgroup);
}

void vol_owner_link(struct vol_owner *o, bool up)
{
	o->linked = up;
	if (up)
		vol_owner_tell_all(o);
	vol_owner_look(o);
}

void vol_owner_speed(struct vol_owner *o, uint32_t speed)
{
	o->prospect.speed = speed;
	vol_owner_tell(o);
}

void vol_owner_walls(struct vol_owner *o, const char *trouble)
{
	if (strcmp(o->walls, trouble ? trouble : "") == 0)
		return;
	snprintf(o->walls, sizeof(o->walls), "%s", trouble ? trouble : "");
	vol_owner_look(o);
}

void vol_owner_hold(struct vol_owner *o, bool on)
{
	o->held = on;
	vol_owner_look(o);
}

void vol_owner_leave(struct vol_owner *o)
{
	o->leaving = true;
	vol_owner_look(o);
}

/* ---- what the owner says ---- */

/* Waits a moment for the user database: who asks wants an answer now.  One that
 * takes longer has it the next time. */
bool vol_owner_is_named(const struct vol_owner *o, uid_t uid)
{
	const char *name;

	/* An empty list would welcome everybody. */
	if (!o->conf->owners || !*o->conf->owners)
		return false;
	return vol_users_wait(o->users, uid, vol_sensor_now_ms(), &name) ==
		       VOL_USER_KNOWN &&
	       vol_list_welcomes(o->conf->owners, name);
}

const char *vol_owner_user(const struct vol_owner *o, uid_t uid)
{
	const char *name;

	return vol_users_wait(o->users, uid, vol_sensor_now_ms(), &name) ==
			       VOL_USER_KNOWN
		       ? name
		       : NULL;
}

bool vol_owner_may_control(struct vol_owner *o, uid_t uid)
{
	return uid == 0 || vol_sensors_at_seat(o->sensors, uid) ||
	       vol_owner_is_named(o, uid);
}

static int set_pause(struct vol_owner *o, const struct vol_pause *pause,
		     struct vol_error *err)
{
	struct vol_pause before = o->pause;
	int rc;

	o->pause = *pause;
	/* Jobs stop first: the disk may be what they are keeping busy. */
	if (pause->on)
		vol_owner_look(o);
	rc = vol_pause_save(o->conf->state_dir, pause, err);
	/* A pause holds even if it can not be kept over a restart; the end of
	 * one does not. */
	if (rc < 0 && !pause->on)
		o->pause = before;
	if (!pause->on)
		vol_owner_look(o);
	return rc;
}

int vol_owner_pause(struct vol_owner *o, time_t until, const char *who,
		    struct vol_error *err)
{
	struct vol_pause pause = {.on = true, .until = until};

	vol_journal_add(o->journal, "paused", "by %s", who);
	return set_pause(o, &pause, err);
}

int vol_owner_resume(struct vol_owner *o, const char *who,
		     struct vol_error *err)
{
	struct vol_pause pause = {.on = false};

	vol_journal_add(o->journal, "resumed", "by %s", who);
	return set_pause(o, &pause, err);
}

void vol_owner_note(struct vol_owner *o, const char *what, const char *fmt, ...)
{
	char text[VOL_WHY_SIZE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	vol_journal_add(o->journal, what, "%s", text);
}

json_t *vol_owner_log(struct vol_owner *o, size_t n)
{
	return vol_journal_tail(o->journal, n);
}

/* ---- life ---- */

static void load_state(struct vol_owner *o)
{
	struct vol_error err;

	if (vol_pause_load(o->conf->state_dir, &o->pause, &err) < 0)
		vol_err("%s: paused until resumed", err.text);
	if (vol_identity_boot(o->boot, &err) < 0 ||
	    vol_park_file_load(VOL_PARK_FILE, o->boot, vol_sensor_now_ms(),
			       &o->ladder.closed_ms, &o->parked, &err) < 0)
		vol_warn("%s", err.text);
	o->evictions_file = VOL_FENCED_FILE;
	if (vol_evictions_load(&o->evictions, o->evictions_file, &err) < 0)
		vol_err("%s", err.text);
	/* Those that are not known yet: vol_owner_doubts. */
	for (size_t i = 0; i < o->evictions.n; i++)
		if (o->evictions.list[i].kept)
			vol_freezer_hold(o->freezer, o->evictions.list[i].job,
					 true);
}

static int create_timers(struct vol_owner *o, struct vol_error *err)
{
	int r = sd_event_add_time(o->loop, &o->timer, CLOCK_BOOTTIME, 0, 0,
				  on_timer, o);

	if (r >= 0)
		r = sd_event_add_time(o->loop, &o->reclaim, CLOCK_MONOTONIC, 0,
				      0, vol_owner_on_reclaim, o);
	if (r < 0)
		return vol_errorf_errno(err, -r, "owner: timer: %s",
					strerror(-r));
	sd_event_source_set_enabled(o->reclaim, SD_EVENT_OFF);
	return 0;
}

struct vol_owner *vol_owner_create(sd_event *loop,
				   const struct vol_device_conf *conf,
				   struct vol_freezer *freezer,
				   struct vol_steps *steps,
				   const struct vol_owner_ops *ops, void *arg,
				   struct vol_error *err)
{
	struct vol_owner *o = calloc(1, sizeof(*o));

	if (!o) {
		vol_errorf_errno(err, ENOMEM, "out of memory");
		return NULL;
	}
	o->loop = sd_event_ref(loop);
	o->conf = conf;
	o->freezer = freezer;
	o->steps = steps;
	o->ops = ops;
	o->arg = arg;
	/* A discoveryd that was killed may have left steps slow. */
	(void)vol_freezer_throttle(freezer, 0, NULL);
	vol_ladder_init(&o->ladder, vol_sensor_now_ms());
	o->journal = vol_journal_create(conf->state_dir, err);
	if (!o->journal)
		goto error;
	load_state(o);
	o->users = vol_users_create(loop, NULL, on_change, o, err);
	if (!o->users)
		goto error;
	o->reflex = vol_reflex_create(loop, freezer, on_change, o, err);
	if (!o->reflex)
		goto error;
	o->sensors = vol_sensors_create(loop, o->reflex, &conf->policy,
					conf->input_devices, on_change, o, err);
	if (!o->sensors || create_timers(o, err) < 0)
		goto error;
	vol_steps_judge(steps, vol_owner_doubts, o);
	return o;
error:
	vol_owner_destroy(o);
	return NULL;
}

void vol_owner_destroy(struct vol_owner *o)
{
	int saved = errno;

	if (!o)
		return;
	vol_steps_judge(o->steps, NULL, NULL);
	sd_event_source_disable_unref(o->timer);
	sd_event_source_disable_unref(o->reclaim);
	vol_sensors_destroy(o->sensors);
	vol_reflex_destroy(o->reflex);
	vol_users_destroy(o->users);
	vol_journal_destroy(o->journal);
	vol_saver_destroy(o->saver);
	vol_owner_period_end(o);
	vol_evictions_clear(&o->evictions);
	vol_parkclock_clear(&o->parked);
	sd_event_unref(o->loop);
	free(o);
	errno = saved;
}
