/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_outlook.c - how long a device will stay available, as a curve */
#include "config.h"

#include "outlook.h"

#include <math.h>

#include "vtest.h"

#define LAST (VOL_OUTLOOK_POINTS - 1)

/* Half an hour for sure, then one hour with three of four, never two. */
static struct vol_outlook sample(void)
{
	struct vol_outlook o;

	for (unsigned int i = 0; i < VOL_OUTLOOK_POINTS; i++) {
		uint32_t s = vol_outlook_seconds(i);

		o.survive[i] = s <= 1920   ? VOL_OUTLOOK_ONE
			       : s <= 3840 ? VOL_OUTLOOK_ONE / 4 * 3
					   : 0;
	}
	return o;
}

static void points(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < VOL_OUTLOOK_POINTS; i++)
		assert_int_equal(vol_outlook_seconds(i),
				 lround(60 * pow(2, i / 4.0)));
	assert_int_equal(vol_outlook_seconds(VOL_OUTLOOK_POINTS),
			 vol_outlook_seconds(LAST));
	assert_int_equal(vol_outlook_seconds(UINT_MAX),
			 vol_outlook_seconds(LAST));
}

static void positions(void **state)
{
	const int32_t one = 1 << VOL_OUTLOOK_FRACTION;
	int32_t before = 0;

	(void)state;
	assert_int_equal(vol_outlook_position(0), 0);
	assert_int_equal(vol_outlook_position(60), 0);
	assert_int_equal(vol_outlook_position(120), 4 * one);
	assert_int_equal(vol_outlook_position(180),
			 6 * one + (180 - 170) * one / (202 - 170));
	assert_int_equal(vol_outlook_position(3306539), (int32_t)LAST * one);
	assert_int_equal(vol_outlook_position(UINT32_MAX), (int32_t)LAST * one);
	for (uint32_t s = 0; s < 4000000; s += 1 + s / 1000) {
		int32_t now = vol_outlook_position(s);

		assert_true(now >= before);
		before = now;
	}
}

static void survival(void **state)
{
	static const struct {
		uint32_t s;
		double chance;
	} rows[] = {
		{0, 1},       {30, 1},
		{1920, 1},    {(1920 + 2283) / 2, 0.875},
		{2283, 0.75}, {3840, 0.75},
		{4567, 0},    {UINT32_MAX, 0},
	};
	const struct vol_outlook o = sample();

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++)
		assert_float_equal(vol_outlook_survival(&o, rows[i].s),
				   rows[i].chance, 0.001);
}

/* Before the first point it falls evenly from certainty. */
static void first_minute(void **state)
{
	struct vol_outlook o = {{0}};

	(void)state;
	assert_float_equal(vol_outlook_survival(&o, 0), 1, 0);
	assert_float_equal(vol_outlook_survival(&o, 15), 0.75, 0.001);
	assert_float_equal(vol_outlook_survival(&o, 60), 0, 0);
	assert_int_equal(vol_outlook_quantile(&o, 0.75), 15);
	assert_int_equal(vol_outlook_quantile(&o, 1), 0);
	memset(&o, 0xff, sizeof(o));
	assert_float_equal(vol_outlook_survival(&o, UINT32_MAX), 1, 0);
	assert_int_equal(vol_outlook_quantile(&o, 1), UINT32_MAX);
}

static void quantile(void **state)
{
	static const struct {
		double chance;
		uint32_t s;
	} rows[] = {
		{2, 0},          {1, 1920},        {0.875, 2101},
		{0.749, 3840},   {0.5, 4082},      {0.25, 4324},
		{0, UINT32_MAX}, {-1, UINT32_MAX}, {NAN, 0},
	};
	const struct vol_outlook o = sample();

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		uint32_t s = vol_outlook_quantile(&o, rows[i].chance);

		if (s < rows[i].s - (rows[i].s > 0) ||
		    s > rows[i].s + (rows[i].s < UINT32_MAX))
			fail_msg("%f: %u", rows[i].chance, s);
	}
}

/* A curve from a damaged table is no reason to crash or to divide by zero. */
static void rising(void **state)
{
	struct vol_outlook o = sample();

	(void)state;
	o.survive[10] = 7;
	o.survive[50] = VOL_OUTLOOK_ONE;
	for (double chance = 0; chance <= 1; chance += 0.01)
		(void)vol_outlook_quantile(&o, chance);
	for (uint32_t s = 0; s < 4000000; s += 977)
		assert_true(vol_outlook_survival(&o, s) <= 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(points),   cmocka_unit_test(positions),
		cmocka_unit_test(survival), cmocka_unit_test(first_minute),
		cmocka_unit_test(quantile), cmocka_unit_test(rising),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
