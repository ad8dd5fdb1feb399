/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_refusals.c - each refusal once, never a flood, bounded memory */
#include "config.h"

#include "refusals.h"

#include "vtest.h"

static struct vol_refusals refusals;

static bool new_at(unsigned peer, const char *reason, uint64_t now,
		   uint64_t *left_out)
{
	char name[32];

	snprintf(name, sizeof(name), "peer %u", peer);
	return vol_refusals_new(&refusals, name, reason, now, left_out);
}

static void once_each(void **state)
{
	uint64_t left_out;

	(void)state;
	vol_refusals_init(&refusals, 0);
	for (int round = 0; round < 3; round++)
		for (unsigned i = 0; i < 200; i++)
			assert_int_equal(new_at(i, "bad", 0, &left_out),
					 round == 0);
	/* The same peer with another reason is news; "ab"+"c" is not "a"+"bc".
	 */
	assert_true(new_at(1, "worse", 0, &left_out));
	assert_true(vol_refusals_new(&refusals, "ab", "c", 0, &left_out));
	assert_true(vol_refusals_new(&refusals, "a", "bc", 0, &left_out));
}

static void flood_is_rationed(void **state)
{
	uint64_t left_out = 1;
	unsigned lines = 0;

	(void)state;
	vol_refusals_init(&refusals, 1000);
	for (unsigned i = 0; i < 100000; i++)
		lines += new_at(i, "bad", 1000, &left_out);
	assert_int_equal(lines, VOL_REFUSALS_BURST);
	assert_int_equal(left_out, 0);
	/* Later there is room for one line, which tells of the others. */
	assert_true(
		new_at(200000, "bad", 1000 + VOL_REFUSALS_EVERY_MS, &left_out));
	assert_int_equal(left_out, 100000 - VOL_REFUSALS_BURST);
	assert_false(
		new_at(200001, "bad", 1000 + VOL_REFUSALS_EVERY_MS, &left_out));
	/* A clock that goes back does no harm. */
	assert_false(new_at(200002, "bad", 0, &left_out));
	/* A long silence fills the ration, not more. */
	for (unsigned i = lines = 0; i < 1000; i++)
		lines += new_at(300000 + i, "bad", UINT64_MAX, &left_out);
	assert_int_equal(lines, VOL_REFUSALS_BURST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(once_each),
		cmocka_unit_test(flood_is_rationed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
