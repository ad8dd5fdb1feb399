/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_prospect.c - since when nobody was there, and when the hours end */
#include "config.h"

#include "device/prospect.h"

#include <stdlib.h>
#include <string.h>

#include "vtest.h"

#define NOW 1000000000u /* ms */

static struct vol_prospect look(const struct vol_reading readings[VOL_SENSORS],
				const char *hours, time_t wall)
{
	struct vol_prospect p = {0};
	struct vol_hours h;

	assert_int_equal(vol_hours_parse(hours, &h, NULL), 0);
	vol_prospect_look(&p, readings, NOW, &h, wall);
	return p;
}

static void away(void **state)
{
	struct vol_reading r[VOL_SENSORS] = {{0}};

	(void)state;
	/* Nobody can tell. */
	assert_int_equal(look(r, "always", 0).away_s, 0);
	r[VOL_SENSOR_INPUT] = (struct vol_reading){.says = VOL_SAYS_AWAY,
						   .since_ms = NOW - 90500};
	r[VOL_SENSOR_SESSIONS] = (struct vol_reading){
		.says = VOL_SAYS_AWAY, .since_ms = NOW - 4000000};
	assert_int_equal(look(r, "always", 0).away_s, 90);
	/* What is not a person. */
	r[VOL_SENSOR_HEAT].says = VOL_SAYS_PRESENT;
	r[VOL_SENSOR_POWER] = (struct vol_reading){.says = VOL_SAYS_AWAY,
						   .since_ms = NOW - 1000};
	assert_int_equal(look(r, "always", 0).away_s, 90);
	r[VOL_SENSOR_TERMINALS].says = VOL_SAYS_PRESENT;
	assert_int_equal(look(r, "always", 0).away_s, 0);
	r[VOL_SENSOR_TERMINALS].says = VOL_SAYS_AWAY;
	r[VOL_SENSOR_TERMINALS].since_ms = NOW + 5; /* a race */
	assert_int_equal(look(r, "always", 0).away_s, 0);
}

static void closes(void **state)
{
	static const struct {
		const char *hours;
		time_t at, closes;
	} days[] = {
		/* Thursday, 1 January 1970, and so on. */
		{"always", 0, 0},
		{"never", 0, 0},
		{"mon-fri 18:00-08:00, sat-sun always", 7 * 3600 + 59,
		 8 * 3600},
		{"mon-fri 18:00-08:00, sat-sun always", 9 * 3600, 0},
		{"mon-fri 18:00-08:00, sat-sun always", 2 * 86400 + 3600,
		 4 * 86400},
		{"thu 00:00-00:01", 59, 60},
	};
	struct vol_reading r[VOL_SENSORS] = {{0}};
	size_t i;

	(void)state;
	setenv("TZ", "UTC", 1);
	tzset();
	for (i = 0; i < N_ELEMENTS(days); i++)
		if (look(r, days[i].hours, days[i].at).closes_at !=
		    days[i].closes)
			fail_msg("%s at %ld", days[i].hours, (long)days[i].at);
	/* The clock goes back an hour on Sunday morning, 25 October 2026. */
	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	assert_int_equal(look(r, "sat-sun 12:00-06:00", 1792850400).closes_at,
			 1792904400);
}

static void message(void **state)
{
	struct vol_prospect p = {.away_s = 5,
				 .battery = true,
				 .closes_at = 1000,
				 .speed = UINT32_MAX};
	struct vol_link_msg m = {.type = VOL_LINK_HARVEST, .why = ""};

	(void)state;
	vol_prospect_fill(&p, 400, &m);
	assert_int_equal(m.away_s, 5);
	assert_true(m.battery);
	assert_int_equal(m.closes_s, 600);
	assert_int_equal(m.speed, VOL_SPEED_MAX);
	vol_prospect_fill(&p, 1000, &m);
	assert_int_equal(m.closes_s, 0);
	p.closes_at = 7 * 86400 + 3600;
	vol_prospect_fill(&p, 0, &m);
	assert_int_equal(m.closes_s, 7 * 86400);
}

static void worth_telling(void **state)
{
	struct vol_prospect a = {.away_s = 5, .closes_at = 1000, .speed = 7};
	struct vol_prospect b = a;

	(void)state;
	b.away_s = 99999;
	b.closes_at += 59;
	assert_false(vol_prospect_differs(&a, &b));
	b.closes_at++;
	assert_true(vol_prospect_differs(&a, &b));
	b = a;
	b.battery = true;
	assert_true(vol_prospect_differs(&a, &b));
	b = a;
	b.speed++;
	assert_true(vol_prospect_differs(&a, &b));
	b = a;
	b.closes_at = 0;
	assert_true(vol_prospect_differs(&a, &b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(away),
		cmocka_unit_test(closes),
		cmocka_unit_test(message),
		cmocka_unit_test(worth_telling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
