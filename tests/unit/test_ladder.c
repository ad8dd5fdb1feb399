/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_ladder.c - how far jobs have to yield, step by step and at random
 *
 * The random part is the promise of the whole: whatever happens in whatever
 * order, jobs run if and only if nobody is there or may be.
 */
#include "config.h"

#include "ladder.h"

#include <inttypes.h>

#include "vtest.h"

#define NOW  (UINT64_C(864000) * 1000)
#define NONE UINT64_MAX

/* ---- step by step ---- */

enum {
	RUN = 1,
	SLOW = 2,
	RECLAIM = 4,
	EVICT = 8,
	CANCEL = 16,
	KILL = 32,
};

static int orders_bits(const struct vol_ladder_orders *o)
{
	return o->run * RUN | o->throttle * SLOW | o->reclaim * RECLAIM |
	       o->evict * EVICT | o->evict_interactive * CANCEL |
	       o->kill * KILL;
}

/* "open", "owner", "paused", "sleep", "cut_off" (owner, too, if both are
 * there), and "busy", "pressure", "interactive", "fence". */
static struct vol_ladder_input input_of(const char *text, uint64_t now_ms)
{
	struct vol_ladder_input in = {.now_ms = now_ms};

	in.busy = strstr(text, "busy");
	in.pressure_high = strstr(text, "pressure");
	in.interactive_only = strstr(text, "interactive");
	in.fence = strstr(text, "fence");
	in.verdict.open = strstr(text, "open");
	in.verdict.urgent = strstr(text, "sleep");
	in.verdict.cut_off = strstr(text, "cut_off");
	in.verdict.cause = in.verdict.open           ? VOL_CAUSE_NONE
			   : strstr(text, "sleep")   ? VOL_CAUSE_SLEEP
			   : strstr(text, "paused")  ? VOL_CAUSE_PAUSED
			   : strstr(text, "owner")   ? VOL_CAUSE_OWNER
			   : strstr(text, "cut_off") ? VOL_CAUSE_CUT_OFF
						     : VOL_CAUSE_HOURS;
	return in;
}

#define CLOSED   VOL_HARVEST_CLOSED
#define OPEN     VOL_HARVEST_OPEN
#define PARKED   VOL_HARVEST_PARKED
#define DRAINING VOL_HARVEST_DRAINING

struct story {
	const char *what;
	int reaction;
	uint64_t interactive_s; /* interactive_max */
	struct {
		uint64_t at_s;
		const char *input;
		enum vol_harvest harvest;
		int orders;
		uint64_t next_s; /* after at_s; 0 = never */
	} steps[9];              /* ends with input NULL */
};

/* parked_max is 600 s. */
static const struct story stories[] = {
	{"no jobs",
	 VOL_REACT_FREEZE,
	 1800,
	 {{0, "owner", CLOSED, 0, 0},
	  {10, "open", OPEN, RUN, 0},
	  {20, "owner", CLOSED, 0, 0},
	  {9999, "owner", CLOSED, 0, 0},
	  {9999, "open", OPEN, RUN, 0},
	  {9999, "sleep", CLOSED, 0, 0}}},
	{"parked and back",
	 VOL_REACT_FREEZE,
	 1800,
	 {{0, "open", OPEN, RUN, 0},
	  {10, "open busy", OPEN, RUN, 0},
	  {20, "owner busy", PARKED, RECLAIM, 600},
	  {100, "owner busy", PARKED, RECLAIM, 520},
	  {110, "open busy", OPEN, RUN, 0},
	  /* The clock begins anew. */
	  {120, "owner busy", PARKED, RECLAIM, 600}}},
	{"the whole ladder",
	 VOL_REACT_FREEZE,
	 1800,
	 {{0, "open busy", OPEN, RUN, 0},
	  {1, "owner busy", PARKED, RECLAIM, 600},
	  {600, "owner busy", PARKED, RECLAIM, 1},
	  {601, "owner busy", DRAINING, RECLAIM | EVICT, 1200},
	  {700, "owner busy interactive", DRAINING, RECLAIM, 1101},
	  {1801, "owner busy interactive", DRAINING, RECLAIM | EVICT | CANCEL,
	   0},
	  {1802, "owner", CLOSED, 0, 0},
	  /* Born frozen into a machine that was closed long ago. */
	  {1900, "owner busy", DRAINING, RECLAIM | EVICT | CANCEL, 0},
	  {1901, "open busy", OPEN, RUN, 0}}},
	{"interactive jobs alone wait longer",
	 VOL_REACT_FREEZE,
	 1800,
	 {{0, "open busy", OPEN, RUN, 0},
	  {0, "owner busy interactive", PARKED, RECLAIM, 1800},
	  {700, "owner busy interactive", PARKED, RECLAIM, 1100},
	  {800, "owner busy interactive pressure", PARKED, RECLAIM, 1000},
	  {900, "owner busy", DRAINING, RECLAIM | EVICT, 900},
	  {1800, "owner busy interactive", DRAINING, RECLAIM | EVICT | CANCEL,
	   0}}},
	{"interactive_max = 0 is parked_max",
	 VOL_REACT_FREEZE,
	 0,
	 {{0, "open busy", OPEN, RUN, 0},
	  {0, "owner busy interactive", PARKED, RECLAIM, 600},
	  {0, "owner busy", PARKED, RECLAIM, 600},
	  {600, "owner busy", DRAINING, RECLAIM | EVICT | CANCEL, 0}}},
	{"memory is short",
	 VOL_REACT_FREEZE,
	 1800,
	 {{0, "open busy pressure", OPEN, RUN, 0},
	  {1, "owner busy", PARKED, RECLAIM, 600},
	  {2, "owner busy pressure", DRAINING, RECLAIM | EVICT, 1799},
	  {3, "owner busy", DRAINING, RECLAIM | EVICT, 1798},
	  {4, "open busy pressure", OPEN, RUN, 0},
	  {5, "owner busy", PARKED, RECLAIM, 600}}},
	{"reaction = evict",
	 VOL_REACT_EVICT,
	 1800,
	 {{0, "open busy", OPEN, RUN, 0},
	  {1, "owner busy", DRAINING, RECLAIM | EVICT, 1800},
	  {2, "paused busy", DRAINING, RECLAIM | EVICT, 1799},
	  {3, "open busy", OPEN, RUN, 0},
	  {4, "owner busy interactive", PARKED, RECLAIM, 1800}}},
	{"reaction = throttle",
	 VOL_REACT_THROTTLE,
	 1800,
	 {{0, "open busy", OPEN, RUN, 0},
	  {0, "owner busy", PARKED, SLOW, 600},
	  {10, "paused busy", PARKED, RECLAIM, 590},
	  {20, "owner busy cut_off", PARKED, RECLAIM, 0},
	  {30, "owner busy fence", DRAINING, KILL, 0},
	  {40, "open busy", OPEN, RUN, 0},
	  {50, "owner busy", PARKED, SLOW, 600},
	  {650, "owner busy", DRAINING, RECLAIM | EVICT, 1200}}},
	{"sleep, shutdown, leaving",
	 VOL_REACT_THROTTLE,
	 1800,
	 {{0, "open busy", OPEN, RUN, 0},
	  {1, "sleep busy", DRAINING, EVICT | CANCEL, 0},
	  {2, "sleep busy interactive", DRAINING, EVICT | CANCEL, 0},
	  {3, "owner busy", DRAINING, RECLAIM | EVICT, 1798},
	  {4, "sleep", CLOSED, 0, 0}}},
	{"nobody to ask",
	 VOL_REACT_EVICT,
	 1800,
	 {{0, "open busy", OPEN, RUN, 0},
	  {1, "cut_off busy pressure", PARKED, RECLAIM, 0},
	  {9000, "cut_off busy", PARKED, RECLAIM, 0},
	  {9001, "sleep busy cut_off", PARKED, 0, 0},
	  {9002, "owner busy", DRAINING, RECLAIM | EVICT | CANCEL, 0},
	  {9003, "owner busy cut_off", DRAINING, RECLAIM, 0},
	  {9004, "cut_off", CLOSED, 0, 0},
	  {9005, "cut_off busy", PARKED, RECLAIM, 0},
	  {9006, "open busy", OPEN, RUN, 0}}},
	{"the fence",
	 VOL_REACT_FREEZE,
	 1800,
	 {{0, "open busy", OPEN, RUN, 0},
	  {1, "cut_off busy fence", DRAINING, KILL, 0},
	  /* Even if everything else says that they may run. */
	  {2, "open busy fence", DRAINING, KILL, 0},
	  {3, "open fence", CLOSED, 0, 0},
	  {4, "open busy", OPEN, RUN, 0},
	  {5, "open busy fence", DRAINING, KILL, 0},
	  {6, "owner busy", DRAINING, RECLAIM | EVICT, 1799}}},
};

static void ladder_stories(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(stories); i++) {
		const struct story *s = &stories[i];
		struct vol_policy policy = {
			.reaction = s->reaction,
			.parked_max_ms = 600 * 1000,
			.interactive_max_ms = s->interactive_s * 1000,
		};
		struct vol_ladder ladder;

		vol_ladder_init(&ladder, NOW);
		assert_int_equal(ladder.harvest, CLOSED);
		for (size_t j = 0; j < 9 && s->steps[j].input; j++) {
			uint64_t now = NOW + s->steps[j].at_s * 1000;
			struct vol_ladder_input in =
				input_of(s->steps[j].input, now);
			enum vol_harvest before = ladder.harvest;
			struct vol_ladder_orders o;
			uint64_t next;

			vol_ladder_step(&ladder, &policy, &in, &o);
			next = o.next_ms == NONE ? 0 : o.next_ms - now;
			if (ladder.harvest != s->steps[j].harvest ||
			    orders_bits(&o) != s->steps[j].orders ||
			    next != s->steps[j].next_s * 1000)
				fail_msg("%s, at %" PRIu64
					 " s: state %d, orders 0x%x, next in "
					 "%" PRIu64 " ms",
					 s->what, s->steps[j].at_s,
					 (int)ladder.harvest, orders_bits(&o),
					 next);
			if (ladder.harvest != before)
				assert_int_equal(ladder.since_ms, now);
		}
	}
}

/* After a start nothing is known of before: the clock of parked_max begins. */
static void restart(void **state)
{
	struct vol_policy policy = {.parked_max_ms = 600 * 1000};
	struct vol_ladder_input in = input_of("owner busy", NOW + 1000);
	struct vol_ladder_orders o;
	struct vol_ladder ladder;

	(void)state;
	vol_ladder_init(&ladder, NOW);
	vol_ladder_step(&ladder, &policy, &in, &o);
	assert_int_equal(ladder.harvest, PARKED);
	assert_int_equal(o.next_ms, NOW + 600 * 1000);
	/* Times beyond all clocks. */
	policy.parked_max_ms = policy.interactive_max_ms = UINT64_MAX;
	vol_ladder_step(&ladder, &policy, &in, &o);
	assert_int_equal(ladder.harvest, PARKED);
	assert_int_equal(o.next_ms, NONE);
}

/* ---- at random ---- */

#define EVENTS 10000

struct world {
	uint64_t seed, random;
	unsigned event;
	struct vol_policy policy;
	const char *hours;
	uint64_t now_ms; /* whole seconds, as the clock on the wall is */
	int64_t wall_s;  /* wall clock at now_ms = 0 */
	struct vol_reading readings[VOL_SENSORS];
	bool paused, leaving, cut_off, blind, fence;
	int64_t pause_until;
	bool busy, pressure, interactive;
	/* What is tested. */
	struct vol_presence presence;
	struct vol_verdict verdict;
	struct vol_ladder ladder;
	struct vol_ladder_orders orders;
	uint64_t next_ms;
	unsigned ran, slowed, parked, drained, killed; /* it was seen */
};

/* Knuth's MMIX generator: the same everywhere, by seed. */
static unsigned draw(struct world *w, unsigned below)
{
	w->random = w->random * UINT64_C(6364136223846793005) +
		    UINT64_C(1442695040888963407);
	return (unsigned)(w->random >> 33) % below;
}

static bool in_hours(const struct world *w, uint64_t ms)
{
	int64_t minutes = (w->wall_s + (int64_t)(ms / 1000)) / 60;

	/* 1 January 1970 was a Thursday. */
	return vol_hours_open(
		&w->policy.hours,
		(unsigned)((minutes + 3 * 1440) % VOL_WEEK_MINUTES));
}

/* The promise in other words than presence.c has for it. */
static bool nobody_here(const struct world *w, uint64_t ms)
{
	unsigned know = 0;

	for (int i = 0; i < VOL_SENSORS; i++) {
		const struct vol_reading *r = &w->readings[i];

		if (r->says == VOL_SAYS_PRESENT)
			return false;
		if (r->says == VOL_SAYS_UNKNOWN &&
		    (w->policy.unknown_is_present & 1u << i))
			return false;
		if (r->says == VOL_SAYS_AWAY &&
		    ms < r->since_ms + w->policy.idle_after_ms)
			return false;
		know += r->says == VOL_SAYS_AWAY && i <= VOL_SENSOR_LOAD;
	}
	return know > 0;
}

static bool may_run(const struct world *w, uint64_t ms)
{
	return nobody_here(w, ms) && in_hours(w, ms) && !w->paused &&
	       !w->leaving && !w->cut_off && !w->blind && !w->fence;
}

static bool may_be_slow(const struct world *w, uint64_t ms)
{
	const struct vol_reading *sleep = &w->readings[VOL_SENSOR_SLEEP];

	return w->policy.reaction == VOL_REACT_THROTTLE &&
	       !nobody_here(w, ms) && sleep->says != VOL_SAYS_PRESENT &&
	       in_hours(w, ms) && !w->paused && !w->leaving && !w->cut_off &&
	       !w->blind && !w->fence;
}

static void check(const struct world *w, bool holds, const char *what)
{
	if (!holds)
		fail_msg("seed %" PRIu64 ", event %u: %s (reason '%s')",
			 w->seed, w->event, what, w->verdict.why);
}

static void check_orders(const struct world *w)
{
	const struct vol_ladder_orders *o = &w->orders;

	check(w, o->run == may_run(w, w->now_ms),
	      o->run ? "runs, but must not" : "does not run, but may");
	check(w, !o->throttle || may_be_slow(w, w->now_ms),
	      "is slow, but must stop");
	check(w, !o->run || !(orders_bits(o) & ~RUN), "runs and more");
	check(w, o->run == (w->ladder.harvest == OPEN), "open and not run");
	check(w, o->run || w->busy || w->ladder.harvest == CLOSED,
	      "no jobs and not closed");
	check(w, o->run || !w->busy || w->ladder.harvest != CLOSED,
	      "closed over jobs");
	check(w, o->kill == (w->fence && w->busy), "fence");
	check(w, !(w->cut_off && (o->evict || o->evict_interactive)),
	      "asks nobody");
	check(w, w->next_ms > w->now_ms, "spins");
	check(w, w->verdict.open == !*w->verdict.why, "no reason");
}

static void look(struct world *w)
{
	struct vol_circumstances c = {
		.now_ms = w->now_ms,
		.wall = (time_t)(w->wall_s + (int64_t)(w->now_ms / 1000)),
		.leaving = w->leaving,
		.cut_off = w->cut_off,
		.blind = w->blind,
	};
	struct vol_ladder_input in = {
		.now_ms = w->now_ms,
		.busy = w->busy,
		.pressure_high = w->pressure,
		.interactive_only = w->interactive,
		.fence = w->fence,
	};

	/* As pause.c does. */
	if (w->pause_until && w->pause_until <= c.wall)
		w->paused = false;
	c.paused = w->paused;
	c.pause_until = (time_t)w->pause_until;
	vol_presence_fuse(w->readings, w->policy.unknown_is_present,
			  w->policy.idle_after_ms, w->now_ms, &w->presence);
	vol_policy_decide(&w->policy, &w->presence, &c, &w->verdict);
	in.verdict = w->verdict;
	vol_ladder_step(&w->ladder, &w->policy, &in, &w->orders);
	w->next_ms = w->verdict.next_ms;
	if (w->orders.next_ms < w->next_ms)
		w->next_ms = w->orders.next_ms;
	check_orders(w);
	w->ran += w->orders.run && w->busy;
	w->slowed += w->orders.throttle;
	w->parked += w->ladder.harvest == PARKED;
	w->drained += w->orders.evict;
	w->killed += w->orders.kill;
}

/* Time goes on from a look; nothing may change before the next. */
static void pass(struct world *w, uint64_t ms)
{
	if (ms == w->now_ms)
		return;
	check(w, w->orders.run == may_run(w, ms - 1), "looked too late");
	check(w, !w->orders.throttle || may_be_slow(w, ms - 1),
	      "was slow for too long");
	w->now_ms = ms;
}

/* Until then, with a look whenever one was asked for. */
static void wait_until(struct world *w, uint64_t ms)
{
	while (w->next_ms <= ms) {
		pass(w, w->next_ms);
		look(w);
	}
	pass(w, ms);
}

static void new_policy(struct world *w)
{
	static const char *const hours[] = {
		"always",
		"always",
		"always",
		"never",
		"mon-fri 18:00-08:00, sat-sun always",
		"mon-sun 00:00-08:00, 18:00-24:00",
	};
	static const uint64_t idle_s[] = {0, 1, 60, 300, 86400};

	w->hours = hours[draw(w, N_ELEMENTS(hours))];
	assert_int_equal(vol_hours_parse(w->hours, &w->policy.hours, NULL), 0);
	w->policy.idle_after_ms = idle_s[draw(w, N_ELEMENTS(idle_s))] * 1000;
	w->policy.reaction = (int)draw(w, 3);
	w->policy.parked_max_ms = draw(w, 3) * 300 * 1000;
	w->policy.interactive_max_ms =
		draw(w, 2) * (w->policy.parked_max_ms + draw(w, 900) * 1000);
	switch (draw(w, 3)) {
	case 0:
		w->policy.unknown_is_present = 0;
		break;
	case 1:
		w->policy.unknown_is_present = 1u << VOL_SENSOR_INPUT;
		break;
	default:
		w->policy.unknown_is_present = draw(w, 1u << VOL_SENSORS);
	}
}

static void new_reading(struct world *w)
{
	struct vol_reading *r = &w->readings[draw(w, VOL_SENSORS)];
	unsigned kind = draw(w, 8);

	r->says = kind == 0   ? VOL_SAYS_UNKNOWN
		  : kind <= 2 ? VOL_SAYS_PRESENT
			      : VOL_SAYS_AWAY;
	r->since_ms = w->now_ms - draw(w, 2) * draw(w, 600) * 1000;
	r->never = draw(w, 4) == 0;
}

static void all_away(struct world *w)
{
	for (int i = 0; i < VOL_SENSORS; i++) {
		w->readings[i].says = VOL_SAYS_AWAY;
		w->readings[i].since_ms = w->now_ms - draw(w, 900) * 1000;
	}
	w->leaving = w->cut_off = w->blind = w->fence = w->paused = false;
}

/* Nobody is left who watches people. */
static void all_blind(struct world *w)
{
	all_away(w);
	for (int i = 0; i <= VOL_SENSOR_LOAD; i++)
		w->readings[i].says = VOL_SAYS_UNKNOWN;
}

static void restart_daemon(struct world *w)
{
	memset(&w->presence, 0, sizeof(w->presence));
	memset(&w->verdict, 0, sizeof(w->verdict));
	vol_ladder_init(&w->ladder, w->now_ms);
	for (int i = 0; i < VOL_SENSORS; i++)
		w->readings[i] = (struct vol_reading){.since_ms = w->now_ms};
	w->leaving = false;
}

static void event(struct world *w)
{
	switch (draw(w, 20)) {
	case 0:
		w->paused = !w->paused;
		w->pause_until = 0;
		if (draw(w, 2))
			w->pause_until = w->wall_s +
					 (int64_t)(w->now_ms / 1000) + 1 +
					 draw(w, 7200);
		break;
	case 1:
	case 2:
		w->busy = !w->busy;
		w->interactive = w->busy && draw(w, 3) == 0;
		break;
	case 3:
		w->pressure = !w->pressure;
		break;
	case 4: /* the link is lost, long lost, or back */
		w->cut_off = !w->cut_off || draw(w, 2);
		w->fence = draw(w, 3) == 0;
		break;
	case 5:
		new_policy(w);
		break;
	case 6: /* the machine slept */
		w->now_ms += draw(w, 86400) * UINT64_C(1000);
		break;
	case 7: /* somebody sets the clock */
		w->wall_s += (int64_t)draw(w, 7200) - 3600;
		break;
	case 8:
		switch (draw(w, 8)) {
		case 0:
			w->leaving = true;
			break;
		case 1:
			w->blind = !w->blind;
			break;
		case 2:
			restart_daemon(w);
			break;
		case 3:
			all_blind(w);
			break;
		}
		break;
	case 9:
	case 10:
	case 11:
		all_away(w);
		break;
	default:
		new_reading(w);
	}
}

static void live(uint64_t seed)
{
	struct world w = {
		.seed = seed,
		.random = seed,
		.now_ms = NOW,
		.wall_s = 1795176000,
	};

	new_policy(&w);
	restart_daemon(&w);
	look(&w);
	for (w.event = 0; w.event < EVENTS; w.event++) {
		wait_until(&w, w.now_ms + draw(&w, 2) * draw(&w, 400) * 1000 +
				       1000);
		event(&w);
		look(&w);
	}
	/* A promise about nothing is easily kept. */
	check(&w, w.ran > EVENTS / 500, "hardly ever ran");
	check(&w, w.slowed > EVENTS / 500, "hardly ever slow");
	check(&w, w.parked > EVENTS / 500, "hardly ever parked");
	check(&w, w.drained > EVENTS / 500, "hardly ever evicted");
	check(&w, w.killed > EVENTS / 500, "hardly ever killed");
}

static void never_while_present(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++)
		live(seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ladder_stories),
		cmocka_unit_test(restart),
		cmocka_unit_test(never_while_present),
	};

	setenv("TZ", "UTC0", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
