/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_tally.c - a week of events in slots of three hours */
#include "config.h"

#include "tally.h"

#include <string.h>

#include "vtest.h"

#define HOUR 3600
#define DAY  (24 * HOUR)
#define NOW  INT64_C(1795000000)

static void nothing(void **state)
{
	struct vol_tally t = {0};

	(void)state;
	assert_int_equal(vol_tally_day(&t, 0), 0);
	assert_int_equal(vol_tally_week(&t, NOW), 0);
	assert_int_equal(vol_tally_week(&t, -1), 0);
	assert_int_equal(vol_tally_week(&t, INT64_MAX), 0);
}

static void grows_old(void **state)
{
	static const struct {
		int64_t later;
		uint32_t day, week;
	} looks[] = {
		{0, 3, 3},
		{18 * HOUR, 3, 3},
		{DAY + 3 * HOUR, 0, 3},
		{6 * DAY, 0, 3},
		{7 * DAY + 3 * HOUR, 0, 0},
		{400 * DAY, 0, 0},
	};
	struct vol_tally t = {0};
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++)
		vol_tally_add(&t, NOW);
	for (i = 0; i < N_ELEMENTS(looks); i++) {
		assert_int_equal(vol_tally_day(&t, NOW + looks[i].later),
				 looks[i].day);
		assert_int_equal(vol_tally_week(&t, NOW + looks[i].later),
				 looks[i].week);
	}
	assert_int_equal(t.total, 3);
	assert_int_equal(t.last, NOW);
}

/* One an hour for a month. */
static void goes_round(void **state)
{
	struct vol_tally t = {0};
	int64_t at;

	(void)state;
	for (at = 0; at < 30 * DAY; at += HOUR)
		vol_tally_add(&t, NOW + at);
	at -= HOUR;
	assert_int_equal(t.total, 30 * 24);
	assert_in_range(vol_tally_day(&t, NOW + at), 22, 24);
	assert_in_range(vol_tally_week(&t, NOW + at), 166, 168);
}

/* A clock that was set back, and figures of a file that nobody checked. */
static void odd_times(void **state)
{
	struct vol_tally t = {.newest = UINT32_MAX, .total = UINT32_MAX};

	(void)state;
	memset(t.slots, 0xff, sizeof(t.slots));
	vol_tally_add(&t, NOW);
	assert_int_equal(t.total, UINT32_MAX);
	assert_int_equal(vol_tally_week(&t, NOW), VOL_TALLY_SLOTS * 65535);
	vol_tally_add(&t, INT64_MAX);
	vol_tally_add(&t, -5);
	memset(&t, 0, sizeof(t));
	vol_tally_add(&t, NOW);
	vol_tally_add(&t, NOW - 30 * DAY);
	assert_int_equal(vol_tally_day(&t, NOW), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing),
		cmocka_unit_test(grows_old),
		cmocka_unit_test(goes_round),
		cmocka_unit_test(odd_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
