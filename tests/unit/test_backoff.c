/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_backoff.c - waits stay in bounds, grow, and are spread */
#include "config.h"

#include "backoff.h"

#include "vtest.h"

static void bounds_double(void **state)
{
	static const uint64_t ceilings[] = {200, 400, 800, 1000, 1000, 1000};
	struct vol_backoff b;
	uint64_t wait;
	size_t i;

	(void)state;
	vol_backoff_init(&b, 100, 1000, 1);
	for (i = 0; i < N_ELEMENTS(ceilings); i++) {
		wait = vol_backoff_next(&b);
		assert_in_range(wait, 100, ceilings[i]);
		assert_int_equal(b.ceiling_ms, ceilings[i]);
	}
	vol_backoff_reset(&b);
	assert_in_range(vol_backoff_next(&b), 100, 200);
}

static void limits(void **state)
{
	static const struct {
		uint64_t min, max, lo, hi;
	} rows[] = {
		{0, 0, 0, 0},
		{0, 8, 0, 8},
		{5, 5, 5, 5},
		{5, 3, 5, 5}, /* max below min counts as min */
		{0, UINT64_MAX, 0, UINT64_MAX},
		{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX},
		{UINT64_MAX - 1, UINT64_MAX, UINT64_MAX - 1, UINT64_MAX},
	};
	struct vol_backoff b;
	uint64_t wait;
	size_t i, j;

	(void)state;
	for (i = 0; i < N_ELEMENTS(rows); i++) {
		vol_backoff_init(&b, rows[i].min, rows[i].max, i);
		for (j = 0; j < 100; j++) { /* the ceiling is at its end */
			wait = vol_backoff_next(&b);
			assert_true(wait >= rows[i].lo && wait <= rows[i].hi);
		}
		assert_true(b.ceiling_ms == rows[i].hi);
	}
}

/* A zero minimum must not keep the ceiling at zero for ever. */
static void zero_minimum_grows(void **state)
{
	struct vol_backoff b;
	uint64_t largest = 0, wait;
	int i;

	(void)state;
	vol_backoff_init(&b, 0, 1000, 3);
	for (i = 0; i < 100; i++) {
		wait = vol_backoff_next(&b);
		largest = wait > largest ? wait : largest;
	}
	assert_true(largest > 500);
}

/* 10 000 devices after a power cut: already the first wait uses its whole
 * range evenly.  Seeds 0, 1, 2 ... are the worst a caller can give. */
static void first_waits_are_spread(void **state)
{
	unsigned bucket[10] = {0};
	struct vol_backoff b;
	unsigned i;

	(void)state;
	for (i = 0; i < 10000; i++) {
		vol_backoff_init(&b, 1000, 60000, i);
		bucket[(vol_backoff_next(&b) - 1000) * 10 / 1001]++;
	}
	for (i = 0; i < N_ELEMENTS(bucket); i++)
		assert_in_range(bucket[i], 800, 1200);
}

static void same_seed_same_waits(void **state)
{
	struct vol_backoff a, b;
	int i;

	(void)state;
	vol_backoff_init(&a, 1, 1 << 20, 99);
	vol_backoff_init(&b, 1, 1 << 20, 99);
	for (i = 0; i < 50; i++)
		assert_int_equal(vol_backoff_next(&a), vol_backoff_next(&b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bounds_double),
		cmocka_unit_test(limits),
		cmocka_unit_test(zero_minimum_grows),
		cmocka_unit_test(first_waits_are_spread),
		cmocka_unit_test(same_seed_same_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
