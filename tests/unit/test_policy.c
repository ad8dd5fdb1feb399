/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_policy.c - which sensors say what, and what happens to jobs then */
#include "config.h"

#include "policy.h"

#include <errno.h>

#include "ladder.h"
#include "readings.h"

#define NOW  (UINT64_C(864000) * 1000)
#define WALL ((time_t)1795176000) /* Friday, 20 Nov 2026 12:00:00 UTC */
#define IDLE (UINT64_C(300) * 1000)

static struct vol_policy policy_of(const char *hours, int reaction,
				   const char *unknown)
{
	struct vol_policy p = {
		.idle_after_ms = IDLE,
		.reaction = reaction,
		.parked_max_ms = 600 * 1000,
		.interactive_max_ms = 1800 * 1000,
	};

	assert_int_equal(vol_hours_parse(hours, &p.hours, NULL), 0);
	assert_int_equal(
		vol_sensor_set_parse(unknown, &p.unknown_is_present, NULL), 0);
	return p;
}

/* "paused", "paused:SECONDS" from now, "leaving", "cut_off", "blind",
 * "walls". */
static struct vol_circumstances circumstances_of(const char *text)
{
	struct vol_circumstances c = {.now_ms = NOW, .wall = WALL};
	const char *pause = strstr(text, "paused");

	c.leaving = strstr(text, "leaving");
	c.cut_off = strstr(text, "cut_off");
	c.blind = strstr(text, "blind");
	c.walls = strstr(text, "walls") ? "no namespaces" : NULL;
	c.paused = pause;
	if (pause && pause[6] == ':')
		c.pause_until = WALL + strtol(pause + 7, NULL, 10);
	return c;
}

/* What happens to a job that runs at that moment. */
static const char *job_fate(const struct vol_policy *policy,
			    const struct vol_verdict *verdict)
{
	struct vol_ladder ladder = {.harvest = VOL_HARVEST_OPEN};
	struct vol_ladder_input in = {
		.now_ms = NOW, .verdict = *verdict, .busy = true};
	struct vol_ladder_orders orders;

	vol_ladder_step(&ladder, policy, &in, &orders);
	if (orders.run)
		return "runs";
	if (orders.evict_interactive)
		return "leaves, all";
	if (orders.evict)
		return "leaves";
	return orders.throttle ? "slow" : "stops";
}

#define FREEZE   VOL_REACT_FREEZE
#define THROTTLE VOL_REACT_THROTTLE
#define EVICT    VOL_REACT_EVICT

struct row {
	const char *readings, *circumstances, *hours;
	int reaction;
	const char *unknown; /* is present */
	const char *why;     /* "" = open */
	const char *fate;
	uint64_t next_s; /* from now; 0 = never */
};

#define WORK  "mon-fri 18:00-08:00, sat-sun always"
#define LUNCH "fri 11:30-12:30"

static const struct row fates[] = {
	/* Nobody here. */
	{"", "", "always", FREEZE, "input", "", "runs", 0},
	{"input-301", "", "always", FREEZE, "input", "", "runs", 0},
	{"", "", "always", EVICT, "input", "", "runs", 0},
	{"", "", LUNCH, FREEZE, "input", "", "runs", 60},
	{"input~900", "", "always", FREEZE, "input", "", "runs", 0},
	/* Each sensor alone. */
	{"input+5400", "", "always", FREEZE, "input",
	 "owner present since 10:30", "stops", 0},
	{"sessions+5400", "", "always", FREEZE, "input",
	 "owner present since 10:30", "stops", 0},
	{"terminals+60", "", "always", FREEZE, "input",
	 "owner present since 11:59", "stops", 0},
	{"inhibitors+60", "", "always", FREEZE, "input",
	 "owner's film or call is running", "stops", 0},
	{"load+60", "", "always", FREEZE, "input", "owner's programs are busy",
	 "stops", 0},
	{"pressure+60", "", "always", FREEZE, "input",
	 "owner's programs need memory", "stops", 0},
	{"power+60", "", "always", FREEZE, "input", "on battery", "stops", 0},
	{"heat+60", "", "always", FREEZE, "input", "machine too hot", "stops",
	 0},
	{"sleep+1", "", "always", FREEZE, "input",
	 "machine goes to sleep or down", "leaves, all", 0},
	/* Each of them gone for less than the idle time. */
	{"input-60", "", "always", FREEZE, "input", "owner present since 11:59",
	 "stops", 240},
	{"sessions-60", "", "always", FREEZE, "input",
	 "owner present since 11:59", "stops", 240},
	{"terminals-60", "", "always", FREEZE, "input",
	 "owner present since 11:59", "stops", 240},
	{"inhibitors-60", "", "always", FREEZE, "input",
	 "owner's film or call is running", "stops", 240},
	{"load-299", "", "always", FREEZE, "input", "owner's programs are busy",
	 "stops", 1},
	{"pressure-1", "", "always", FREEZE, "input",
	 "owner's programs need memory", "stops", 299},
	{"power-60", "", "always", FREEZE, "input", "on battery", "stops", 240},
	{"heat-60", "", "always", FREEZE, "input", "machine too hot", "stops",
	 240},
	{"sleep-60", "", "always", FREEZE, "input", "machine just woke up",
	 "stops", 240},
	{"input~60", "", "always", FREEZE, "input",
	 "owner may be present, idle since 11:59", "stops", 240},
	{"load~60 power~60", "", "always", FREEZE, "input",
	 "owner may be present, idle since 11:59", "stops", 240},
	/* The other two reactions. */
	{"input+60", "", "always", THROTTLE, "input",
	 "owner present since 11:59", "slow", 0},
	{"input-60", "", "always", THROTTLE, "input",
	 "owner present since 11:59", "slow", 240},
	{"power+60", "", "always", THROTTLE, "input", "on battery", "slow", 0},
	{"sleep+1", "", "always", THROTTLE, "input",
	 "machine goes to sleep or down", "leaves, all", 0},
	{"", "paused", "always", THROTTLE, "input", "paused", "stops", 0},
	{"", "", "never", THROTTLE, "input", "outside the owner's hours",
	 "stops", 0},
	{"", "cut_off", "always", THROTTLE, "input",
	 "no contact to the controller", "stops", 0},
	{"input+60", "cut_off", "always", THROTTLE, "input",
	 "owner present since 11:59", "stops", 0},
	{"input+60", "blind", "always", THROTTLE, "input",
	 "a part of discoveryd does not work", "stops", 0},
	{"input+60", "", "always", EVICT, "input", "owner present since 11:59",
	 "leaves", 0},
	{"", "paused", "always", EVICT, "input", "paused", "leaves", 0},
	{"", "", "never", EVICT, "input", "outside the owner's hours", "leaves",
	 0},
	{"", "cut_off", "always", EVICT, "input",
	 "no contact to the controller", "stops", 0},
	{"input+60", "cut_off", "always", EVICT, "input",
	 "owner present since 11:59", "stops", 0},
	/* Sensors that do not know. */
	{"input?60", "", "always", FREEZE, "input", "no input sensor works",
	 "stops", 0},
	{"input?60", "", "always", FREEZE, "none", "", "runs", 0},
	{"input?60", "", "always", FREEZE, "load,power", "", "runs", 0},
	{"load?60", "", "always", FREEZE, "input", "", "runs", 0},
	{"load?60", "", "always", FREEZE, "input load",
	 "sensor load does not work", "stops", 0},
	{"power?60", "", "always", FREEZE, "power",
	 "sensor power does not work", "stops", 0},
	{"input?60 sessions+60", "", "always", FREEZE, "none",
	 "owner present since 11:59", "stops", 0},
	{"input?60 sessions+60", "", "always", FREEZE, "input",
	 "no input sensor works", "stops", 0},
	{"input?9 sessions?9 terminals?9 inhibitors?9 load?9", "", "always",
	 FREEZE, "none", "no sensor works", "stops", 0},
	{"input?9 sessions?9 terminals?9 inhibitors?9 load?9 pressure?9 "
	 "power?9 heat?9 sleep?9",
	 "", "always", FREEZE, "none", "no sensor works", "stops", 0},
	{"input?9 sleep+1", "", "always", FREEZE, "input",
	 "machine goes to sleep or down", "leaves, all", 0},
	/* Several at once. */
	{"input+60 power+600", "", "always", FREEZE, "input",
	 "owner present since 11:59", "stops", 0},
	{"load+60 heat+600", "", "always", FREEZE, "input",
	 "owner's programs are busy", "stops", 0},
	{"input+60 sleep+1", "paused", WORK, FREEZE, "input",
	 "machine goes to sleep or down", "leaves, all", 60},
	{"input-290 sessions+60", "", "always", FREEZE, "input",
	 "owner present since 11:55", "stops", 10},
	{"input~60 power+5", "", "always", FREEZE, "input", "on battery",
	 "stops", 0},
	/* Hours. */
	{"", "", WORK, FREEZE, "input", "outside the owner's hours until 18:00",
	 "stops", 60},
	{"input+60", "", WORK, FREEZE, "input",
	 "outside the owner's hours until 18:00", "stops", 60},
	{"", "", "mon 12:00-13:00", FREEZE, "input",
	 "outside the owner's hours until Mon 12:00", "stops", 60},
	{"", "", "fri 11:00-12:00", FREEZE, "input",
	 "outside the owner's hours until 27 Nov", "stops", 60},
	{"", "", "fri 12:00-12:01", FREEZE, "input", "", "runs", 60},
	{"input-60", "", LUNCH, FREEZE, "input", "owner present since 11:59",
	 "stops", 60},
	{"", "", "never", FREEZE, "input", "outside the owner's hours", "stops",
	 0},
	/* Pauses. */
	{"", "paused", "always", FREEZE, "input", "paused", "stops", 0},
	{"", "paused:7200", "always", FREEZE, "input", "paused until 14:00",
	 "stops", 60},
	{"", "paused:20", "always", FREEZE, "input", "paused until 12:00",
	 "stops", 20},
	{"", "paused:86400", "always", FREEZE, "input",
	 "paused until Sat 12:00", "stops", 60},
	{"", "paused:864000", "always", FREEZE, "input", "paused until 30 Nov",
	 "stops", 60},
	/* Over already: the daemon has not seen it yet. */
	{"", "paused:0", "always", FREEZE, "input", "paused until 12:00",
	 "stops", 1},
	{"input+60", "paused:3600", WORK, FREEZE, "input", "paused until 13:00",
	 "stops", 60},
	/* What else closes a machine. */
	{"", "cut_off", "always", FREEZE, "input",
	 "no contact to the controller", "stops", 0},
	{"input+60", "cut_off", "always", FREEZE, "input",
	 "owner present since 11:59", "stops", 0},
	{"sleep+1", "cut_off", "always", FREEZE, "input",
	 "machine goes to sleep or down", "stops", 0},
	{"", "leaving", "always", FREEZE, "input", "discoveryd is leaving",
	 "leaves, all", 0},
	{"sleep+1", "leaving paused", "never", FREEZE, "input",
	 "discoveryd is leaving", "leaves, all", 0},
	{"", "blind", "always", FREEZE, "input",
	 "a part of discoveryd does not work", "stops", 0},
	{"input+60", "blind paused", "never", FREEZE, "input",
	 "a part of discoveryd does not work", "stops", 0},
	{"", "walls", "always", FREEZE, "input", "sandbox: no namespaces",
	 "stops", 0},
	{"input+60", "walls paused cut_off", "never", FREEZE, "input",
	 "sandbox: no namespaces", "stops", 0},
	{"", "walls blind", "always", FREEZE, "input",
	 "a part of discoveryd does not work", "stops", 0},
	{"", "walls leaving", "always", FREEZE, "input",
	 "discoveryd is leaving", "leaves, all", 0},
	/* Times that are long past. */
	{"input+79200", "", "always", FREEZE, "input",
	 "owner present since Thu 14:00", "stops", 0},
	{"input+71999", "", "always", FREEZE, "input",
	 "owner present since 16:00", "stops", 0},
	{"input+604800", "", "always", FREEZE, "input",
	 "owner present since 13 Nov", "stops", 0},
	{"input+0", "", "always", FREEZE, "input", "owner present since 12:00",
	 "stops", 0},
	{"input+1", "", "always", FREEZE, "input", "owner present since 11:59",
	 "stops", 0},
};

static void what_happens(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(fates); i++) {
		const struct row *r = &fates[i];
		struct vol_policy policy =
			policy_of(r->hours, r->reaction, r->unknown);
		struct vol_circumstances c = circumstances_of(r->circumstances);
		struct vol_reading readings[VOL_SENSORS];
		struct vol_presence presence = {0};
		struct vol_verdict v = {0};
		uint64_t next;

		readings_set(r->readings, NOW, readings);
		vol_presence_fuse(readings, policy.unknown_is_present,
				  policy.idle_after_ms, NOW, &presence);
		vol_policy_decide(&policy, &presence, &c, &v);
		next = v.next_ms == UINT64_MAX ? 0 : v.next_ms - NOW;
		if (strcmp(v.why, r->why) != 0 || v.open != !*r->why ||
		    strcmp(job_fate(&policy, &v), r->fate) != 0 ||
		    next != r->next_s * 1000)
			fail_msg("'%s' '%s' '%s': '%s', job %s, next %d ms",
				 r->readings, r->circumstances, r->hours, v.why,
				 job_fate(&policy, &v), (int)next);
		assert_int_equal(v.open, v.cause == VOL_CAUSE_NONE);
	}
}

/* The reason is Slurm's, and each new one costs an RPC. */
static void reason_stays(void **state)
{
	struct vol_policy policy = policy_of("always", FREEZE, "input");
	struct vol_reading readings[VOL_SENSORS];
	struct vol_presence presence = {0};
	struct vol_verdict v = {0};
	char first[VOL_WHY_SIZE];

	(void)state;
	/* An hour of typing with breaks, each second; the clock of the wall
	 * runs a little slow, and claims begin half a minute past one. */
	for (unsigned s = 0; s < 3600; s++) {
		struct vol_circumstances c = {
			.now_ms = NOW + s * 1000 + s % 7 * 100,
			.wall = WALL + 31 + s - s / 100,
		};
		char text[64];

		snprintf(text, sizeof(text), "input%c%u sessions%c%u load-%u",
			 s % 5 ? '-' : '+', s % 100, s % 900 < 450 ? '+' : '-',
			 s % 450, s % 31);
		readings_set(text, c.now_ms, readings);
		vol_presence_fuse(readings, policy.unknown_is_present, IDLE,
				  c.now_ms, &presence);
		vol_policy_decide(&policy, &presence, &c, &v);
		if (s == 0)
			memcpy(first, v.why, sizeof(first));
		assert_string_equal(v.why, first);
	}
	assert_contains(first, "owner present since 12:00");
}

/* Somebody sets the clock: the text follows, once. */
static void clock_is_set(void **state)
{
	struct vol_policy policy = policy_of("always", FREEZE, "input");
	struct vol_circumstances c = {.now_ms = NOW, .wall = WALL};
	struct vol_presence presence = {
		.says = VOL_SAYS_PRESENT,
		.since_ms = NOW - 60000,
		.next_ms = UINT64_MAX,
	};
	struct vol_verdict v = {0};

	(void)state;
	vol_policy_decide(&policy, &presence, &c, &v);
	assert_string_equal(v.why, "owner present since 11:59");
	c.wall += 80;
	vol_policy_decide(&policy, &presence, &c, &v);
	assert_string_equal(v.why, "owner present since 11:59");
	c.wall += 3600;
	vol_policy_decide(&policy, &presence, &c, &v);
	assert_string_equal(v.why, "owner present since 13:00");
}

/* Summer begins on 29 March 2026, 02:00 in Berlin: hours are those of the
 * clock on the wall, and the change is asked for at least once a minute. */
static void summer_time(void **state)
{
	static const struct {
		time_t wall;
		const char *why;
		uint64_t next_s;
	} rows[] = {
		{1774745999, "", 1},                       /* 01:59:59 */
		{1774746000, "", 60},                      /* 03:00 */
		{1774763970, "", 30},                      /* 07:59:30 */
		{1774764000, "hours until Mon 05:00", 60}, /* 08:00 */
		{1774839570, "hours until 05:00", 30},     /* Monday 04:59:30 */
	};
	struct vol_policy policy =
		policy_of("sat 22:00-08:00; mon 5:00-6:00", FREEZE, "input");
	struct vol_presence presence = {.says = VOL_SAYS_AWAY,
					.next_ms = UINT64_MAX};

	(void)state;
	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct vol_circumstances c = {.now_ms = NOW,
					      .wall = rows[i].wall};
		struct vol_verdict v = {0};

		vol_policy_decide(&policy, &presence, &c, &v);
		assert_int_equal(v.open, !*rows[i].why);
		assert_contains(v.why, rows[i].why);
		if (i > 0) /* the first one can not know of the gap */
			assert_int_equal(v.next_ms - NOW,
					 rows[i].next_s * 1000);
	}
	setenv("TZ", "UTC0", 1);
}

static void sensor_sets(void **state)
{
	static const struct {
		const char *text;
		vol_sensor_set set;
	} good[] = {
		{"none", 0},
		{"input", 1u << VOL_SENSOR_INPUT},
		{" input, sleep ",
		 1u << VOL_SENSOR_INPUT | 1u << VOL_SENSOR_SLEEP},
		{"load load\theat",
		 1u << VOL_SENSOR_LOAD | 1u << VOL_SENSOR_HEAT},
	};
	static const struct {
		const char *text, *reason;
	} bad[] = {
		{NULL, "no sensors given"},
		{"", "no sensor is named"},
		{" , ", "no sensor is named"},
		{"mouse", "\"mouse\" is not a sensor"},
		{"input,mouse", "\"mouse\" is not a sensor"},
		{"input,none", "\"none\" is not a sensor"},
		{"none,input", "\"none\" is not a sensor"},
		{"Input", "\"Input\""},
		{"input;load", "\"input;load\""},
		{"\x1b[0m", "\"?[0m\""},
	};
	struct vol_error err;
	vol_sensor_set set;

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(good); i++) {
		set = 0x5a5a;
		assert_int_equal(vol_sensor_set_parse(good[i].text, &set, &err),
				 0);
		assert_int_equal(set, good[i].set);
	}
	for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
		set = 0x5a5a;
		errno = 0;
		assert_int_equal(vol_sensor_set_parse(bad[i].text, &set, &err),
				 -1);
		assert_int_equal(errno, EINVAL);
		assert_int_equal(set, 0x5a5a);
		assert_contains(err.text, bad[i].reason);
		assert_printable(err.text);
	}
}

static void lists(void **state)
{
	static const struct {
		const char *list, *name;
		bool welcome;
	} rows[] = {
		{NULL, "ann", true},        {"", "ann", true},
		{"all", "ann", true},       {NULL, NULL, true},
		{"ann", "ann", true},       {"ann, bob", "bob", true},
		{"ann,bob", "ann", true},   {" ann\tbob ", "bob", true},
		{"ann", "bob", false},      {"ann", "an", false},
		{"ann", "anna", false},     {"ann", "", false},
		{"ann", NULL, false},       {",", "ann", false},
		{", ,", "", false},         {"ann,,bob", "", false},
		{"ann, all", "bob", false}, {"Ann", "ann", false},
		{"1000", "1000", true},     {"ann bob", "ann bob", false},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++)
		if (vol_list_welcomes(rows[i].list, rows[i].name) !=
		    rows[i].welcome)
			fail_msg("'%s' and '%s'", rows[i].list, rows[i].name);
}

static void causes(void **state)
{
	(void)state;
	for (int i = 0; i <= VOL_CAUSE_CUT_OFF; i++)
		assert_true(*vol_cause_name((enum vol_cause)i));
	assert_string_equal(vol_cause_name(VOL_CAUSE_OWNER), "owner");
	assert_string_equal(vol_cause_name((enum vol_cause)77), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_happens), cmocka_unit_test(reason_stays),
		cmocka_unit_test(clock_is_set), cmocka_unit_test(summer_time),
		cmocka_unit_test(sensor_sets),  cmocka_unit_test(lists),
		cmocka_unit_test(causes),
	};

	setenv("TZ", "UTC0", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
