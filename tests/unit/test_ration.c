/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_ration.c - so many at once, then one each so many ms */
#include "config.h"

#include "ration.h"

#include "vtest.h"

#define MOST  10
#define EVERY 1000

static unsigned take_all(struct vol_ration *r, uint64_t now)
{
	unsigned n = 0;

	while (vol_ration_take(r, MOST, EVERY, now))
		n++;
	return n;
}

static void so_many_at_once(void **state)
{
	static const struct {
		uint64_t after_ms;
		unsigned n;
	} rows[] = {
		{0, MOST},
		{0, 0},
		{EVERY - 1, 0},
		{1, 1},
		{0, 0},
		{3 * EVERY + 500, 3},
		{500, 1},
		{499, 0},
		{1000000 * (uint64_t)EVERY, MOST},
		{EVERY / 2, 0},
		{EVERY / 2, 1},
	};
	struct vol_ration r = {0};
	uint64_t now = 123456789;

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		now += rows[i].after_ms;
		assert_int_equal(take_all(&r, now), rows[i].n);
	}
}

/* Whoever takes them as they come gets no more than that. */
static void over_a_day(void **state)
{
	struct vol_ration r = {0};
	unsigned n = 0;

	(void)state;
	for (uint64_t now = 0; now < 86400000; now += 37)
		n += vol_ration_take(&r, MOST, 60000, now);
	assert_in_range(n, MOST + 1438, MOST + 1440);
	/* A clock that goes back gives nothing. */
	assert_false(vol_ration_take(&r, 1, 60000, 5));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(so_many_at_once),
		cmocka_unit_test(over_a_day),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
