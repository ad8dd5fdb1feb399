/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_presence.c - which sensors say what, and what follows from it */
#include "config.h"

#include "presence.h"

#include "readings.h"

#define NOW    (UINT64_C(864000) * 1000)
#define IDLE   (UINT64_C(300) * 1000)
#define INPUT  (1u << VOL_SENSOR_INPUT)
#define LOAD   (1u << VOL_SENSOR_LOAD)
#define NEVER  UINT64_MAX
#define NOBODY "input?9 sessions?9 terminals?9 inhibitors?9 load?9"

static const struct {
	const char *readings;
	vol_sensor_set counts;
	enum vol_says says;
	const char *sensor;
	uint64_t since_s, next_s; /* ago; from now */
	bool over, never;
} fused[] = {
	/* Nobody, and who was the last. */
	{"", INPUT, VOL_SAYS_AWAY, "input", 3600, NEVER, 0, 0},
	{"load-400", INPUT, VOL_SAYS_AWAY, "load", 400, NEVER, 0, 0},
	{"input-301 load-302", 0, VOL_SAYS_AWAY, "input", 301, NEVER, 0, 0},
	{"input-300", 0, VOL_SAYS_AWAY, "input", 300, NEVER, 0, 0},
	{"input~300", 0, VOL_SAYS_AWAY, "input", 300, NEVER, 0, 0},
	/* One. */
	{"input+0", INPUT, VOL_SAYS_PRESENT, "input", 0, NEVER, 0, 0},
	{"input+7000", 0, VOL_SAYS_PRESENT, "input", 7000, NEVER, 0, 0},
	{"sessions+60", 0, VOL_SAYS_PRESENT, "sessions", 60, NEVER, 0, 0},
	{"terminals+60", 0, VOL_SAYS_PRESENT, "terminals", 60, NEVER, 0, 0},
	{"inhibitors+60", 0, VOL_SAYS_PRESENT, "inhibitors", 60, NEVER, 0, 0},
	{"load+60", 0, VOL_SAYS_PRESENT, "load", 60, NEVER, 0, 0},
	{"pressure+60", 0, VOL_SAYS_PRESENT, "pressure", 60, NEVER, 0, 0},
	{"power+60", 0, VOL_SAYS_PRESENT, "power", 60, NEVER, 0, 0},
	{"heat+60", 0, VOL_SAYS_PRESENT, "heat", 60, NEVER, 0, 0},
	{"sleep+0", 0, VOL_SAYS_PRESENT, "sleep", 0, NEVER, 0, 0},
	/* Away, but not for long enough. */
	{"input-299", 0, VOL_SAYS_PRESENT, "input", 299, 1, 1, 0},
	{"heat-10", 0, VOL_SAYS_PRESENT, "heat", 10, 290, 1, 0},
	{"sleep-10", 0, VOL_SAYS_PRESENT, "sleep", 10, 290, 1, 0},
	{"input~10", 0, VOL_SAYS_PRESENT, "input", 10, 290, 1, 1},
	/* Several: the first in order; sleep before all, "never" after
	 * all. */
	{"sessions+9 input-20", 0, VOL_SAYS_PRESENT, "input", 20, 280, 1, 0},
	{"power+9 load+8", 0, VOL_SAYS_PRESENT, "load", 8, NEVER, 0, 0},
	{"input+9 sleep+1", INPUT, VOL_SAYS_PRESENT, "sleep", 1, NEVER, 0, 0},
	{"input?9 sleep+1", INPUT, VOL_SAYS_PRESENT, "sleep", 1, NEVER, 0, 0},
	{"power+9 sleep-1", 0, VOL_SAYS_PRESENT, "power", 9, NEVER, 0, 0},
	{"input~20 power-9", 0, VOL_SAYS_PRESENT, "power", 9, 291, 1, 0},
	{"input~20 heat+9", 0, VOL_SAYS_PRESENT, "heat", 9, NEVER, 0, 0},
	{"input~20 sessions~18", 0, VOL_SAYS_PRESENT, "input", 20, 280, 1, 1},
	/* Unknown counts if it is named. */
	{"input?60", INPUT, VOL_SAYS_UNKNOWN, "input", 60, NEVER, 0, 0},
	{"input?60", INPUT | LOAD, VOL_SAYS_UNKNOWN, "input", 60, NEVER, 0, 0},
	{"input?60", LOAD, VOL_SAYS_AWAY, "sessions", 3600, NEVER, 0, 0},
	{"input?60", 0, VOL_SAYS_AWAY, "sessions", 3600, NEVER, 0, 0},
	{"load?60 power+9", LOAD, VOL_SAYS_UNKNOWN, "load", 60, NEVER, 0, 0},
	{"load?60 input-9", LOAD, VOL_SAYS_PRESENT, "input", 9, 291, 1, 0},
	{"input?60 sessions~9", INPUT, VOL_SAYS_UNKNOWN, "input", 60, NEVER, 0,
	 0},
	{"input~9 load?60", LOAD, VOL_SAYS_UNKNOWN, "load", 60, NEVER, 0, 0},
	{"sleep?60", 1u << VOL_SENSOR_SLEEP, VOL_SAYS_UNKNOWN, "sleep", 60,
	 NEVER, 0, 0},
	/* Nobody is left who could tell: power and heat can not. */
	{NOBODY, 0, VOL_SAYS_UNKNOWN, "none", 0, NEVER, 0, 0},
	{NOBODY " pressure?9 power?9 heat?9 sleep?9", 0, VOL_SAYS_UNKNOWN,
	 "none", 0, NEVER, 0, 0},
	{NOBODY " load-900", 0, VOL_SAYS_AWAY, "load", 900, NEVER, 0, 0},
	{NOBODY " power+5", 0, VOL_SAYS_PRESENT, "power", 5, NEVER, 0, 0},
	{NOBODY, LOAD, VOL_SAYS_UNKNOWN, "load", 9, NEVER, 0, 0},
};

static void fuse(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(fused); i++) {
		struct vol_reading readings[VOL_SENSORS];
		struct vol_presence p = {0};

		readings_set(fused[i].readings, NOW, readings);
		vol_presence_fuse(readings, fused[i].counts, IDLE, NOW, &p);
		if (p.says != fused[i].says ||
		    strcmp(vol_sensor_name(p.sensor), fused[i].sensor) != 0 ||
		    p.since_ms != NOW - fused[i].since_s * 1000 ||
		    p.next_ms != (fused[i].next_s == NEVER
					  ? NEVER
					  : NOW + fused[i].next_s * 1000) ||
		    p.over != fused[i].over || p.never != fused[i].never)
			fail_msg("'%s': %s by %s since %llu, next %llu",
				 fused[i].readings, vol_says_name(p.says),
				 vol_sensor_name(p.sensor),
				 (unsigned long long)(NOW - p.since_ms),
				 (unsigned long long)(p.next_ms - NOW));
		if (p.sensor < VOL_SENSORS)
			assert_string_equal(p.detail,
					    readings[p.sensor].detail);
	}
}

/* Since when, over many answers: times in seconds since NOW, readings as of
 * then. */
static void since(void **state)
{
	static const struct {
		const char *what;
		vol_sensor_set counts;
		struct {
			uint64_t at_s;
			const char *readings;
			int64_t since_s;
		} steps[8]; /* ends with readings NULL */
	} rows[] = {
		{"typing with pauses",
		 INPUT,
		 {{0, "input+0", 0},
		  {60, "input-3", 0},
		  {120, "input+1", 0},
		  {200, "input-60", 0},
		  {439, "input-299", 0},
		  {440, "input-300", 140},
		  {500, "input+1", 499}}},
		{"moments only",
		 INPUT,
		 {{0, "input-0", 0},
		  {100, "input-10", 0},
		  {350, "input-1", 0},
		  {649, "input-0", 0}}},
		{"another sensor, the same words",
		 INPUT,
		 {{0, "input+0", 0},
		  {100, "input-50 sessions+40", 0},
		  {350, "input-300 sessions+290", 0},
		  {360, "terminals+1 sessions-5", 0}}},
		{"other words",
		 INPUT,
		 {{0, "power+10", -10},
		  {100, "power+110 input+1", 99},
		  {200, "power+210 input+101", 99},
		  {600, "power+610 input-310", -10}}},
		{"late by hours, and somebody came meanwhile",
		 INPUT,
		 {{0, "input-0", 0},
		  {7200, "input-3600 sessions+10", 7190},
		  {7300, "sessions+110", 7190}}},
		{"late by hours, but somebody was there all along",
		 INPUT,
		 {{0, "input-0", 0}, {7200, "input-3600 sessions+7100", 0}}},
		{"looking, then seen",
		 INPUT,
		 {{0, "input~0 sessions~0", 0},
		  {2, "input~2 load~0", 0},
		  {10, "input+1", 9},
		  {20, "input-11", 9}}},
		{"blind, then not",
		 INPUT,
		 {{0, "input?100", -100},
		  {50, "input?10", -100},
		  {60, "input~0", 60}}},
		{"no sensor at all",
		 0,
		 {{0, NOBODY, 0}, {100, NOBODY, 0}, {200, "input-900", -700}}},
		{"sleep hides the owner only while it lasts",
		 INPUT,
		 {{0, "input+0", 0},
		  {10, "input+10 sleep+0", 10},
		  {20, "input-12 sleep-1", 8}}},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct vol_presence p = {0};

		for (size_t j = 0; j < 8 && rows[i].steps[j].readings; j++) {
			uint64_t now = NOW + rows[i].steps[j].at_s * 1000;
			int64_t got;
			struct vol_reading readings[VOL_SENSORS];

			readings_set(rows[i].steps[j].readings, now, readings);
			vol_presence_fuse(readings, rows[i].counts, IDLE, now,
					  &p);
			got = (int64_t)(p.since_ms - NOW) / 1000;
			if (got != rows[i].steps[j].since_s)
				fail_msg("%s, at %d s: since %d s",
					 rows[i].what,
					 (int)rows[i].steps[j].at_s, (int)got);
		}
	}
}

static void limits(void **state)
{
	struct vol_reading readings[VOL_SENSORS];
	struct vol_presence p = {0};

	(void)state;
	/* No idle time: free as soon as nobody claims it. */
	readings_set("input-0", NOW, readings);
	vol_presence_fuse(readings, INPUT, 0, NOW, &p);
	assert_int_equal(p.says, VOL_SAYS_AWAY);
	/* Away since tomorrow, or an idle time beyond all clocks. */
	readings[VOL_SENSOR_INPUT].since_ms = NOW + 1;
	vol_presence_fuse(readings, INPUT, 0, NOW, &p);
	assert_int_equal(p.says, VOL_SAYS_PRESENT);
	assert_int_equal(p.next_ms, NOW + 1);
	vol_presence_fuse(readings, INPUT, UINT64_MAX, NOW, &p);
	assert_int_equal(p.says, VOL_SAYS_PRESENT);
	assert_int_equal(p.next_ms, UINT64_MAX);
	/* A word that does not exist. */
	readings_set("", NOW, readings);
	readings[VOL_SENSOR_INPUT].says = (enum vol_says)77;
	vol_presence_fuse(readings, INPUT, IDLE, NOW, &p);
	assert_int_equal(p.says, VOL_SAYS_UNKNOWN);
	/* All zero, as before the first report. */
	memset(readings, 0, sizeof(readings));
	vol_presence_fuse(readings, 0, IDLE, NOW, &p);
	assert_int_equal(p.says, VOL_SAYS_UNKNOWN);
	vol_presence_fuse(readings, INPUT, 0, NOW, &p);
	assert_int_equal(p.says, VOL_SAYS_UNKNOWN);
	/* A detail that has no end. */
	readings_set("input+1", NOW, readings);
	memset(readings[VOL_SENSOR_INPUT].detail, 'x', VOL_DETAIL_SIZE);
	vol_presence_fuse(readings, INPUT, IDLE, NOW, &p);
	assert_int_equal(strlen(p.detail), VOL_DETAIL_SIZE - 1);
}

static void names(void **state)
{
	(void)state;
	for (int i = 0; i < VOL_SENSORS; i++) {
		const char *name = vol_sensor_name((enum vol_sensor)i);

		assert_int_equal(vol_sensor_by_name(name, strlen(name)), i);
		assert_int_equal(vol_sensor_by_name(name, strlen(name) - 1),
				 VOL_SENSORS);
		assert_true(strlen(vol_sensor_claim((enum vol_sensor)i)) > 5);
		assert_printable(vol_sensor_claim((enum vol_sensor)i));
	}
	assert_string_equal(vol_sensor_name(VOL_SENSORS), "none");
	assert_string_equal(vol_sensor_claim(VOL_SENSORS), "");
	assert_int_equal(vol_sensor_by_name("", 0), VOL_SENSORS);
	assert_string_equal(vol_says_name(VOL_SAYS_AWAY), "away");
	assert_string_equal(vol_says_name(VOL_SAYS_PRESENT), "present");
	assert_string_equal(vol_says_name((enum vol_says)77), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fuse),
		cmocka_unit_test(since),
		cmocka_unit_test(limits),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
