/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_fence.c - the device's clock ends before the controller's */
#include "config.h"

#include "fence.h"

#include "vtest.h"

static void margins(void **state)
{
	static const struct {
		uint32_t lease_ms, margin_ms;
	} rows[] = {
		{0, 0},
		{1, 0},
		{1000, 400},
		{2500, 1000},
		{3000, 1000},
		{5000, 1000},
		{15000, 3000},
		{60000, 12000},
		{86400000, 17280000},
		{UINT32_MAX, UINT32_MAX / 5},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++)
		assert_int_equal(vol_fence_margin(rows[i].lease_ms),
				 rows[i].margin_ms);
}

static void looks(void **state)
{
	static const struct {
		uint64_t now_ms;
		enum vol_fence_state state;
		uint64_t next_ms;
	} rows[] = {
		{0, VOL_FENCE_OK, 107500}, /* a clock can not do that */
		{100000, VOL_FENCE_OK, 107500},
		{107499, VOL_FENCE_OK, 107500},
		{107500, VOL_FENCE_PARK, 112000},
		{111999, VOL_FENCE_PARK, 112000},
		{112000, VOL_FENCE_KILL, UINT64_MAX},
		{115000, VOL_FENCE_KILL, UINT64_MAX},
		{UINT64_MAX, VOL_FENCE_KILL, UINT64_MAX},
	};
	struct vol_fence f = {.armed = false};
	uint64_t next = 0;

	(void)state;
	assert_int_equal(vol_fence_look(&f, 1000, &next), VOL_FENCE_OK);
	assert_int_equal(next, UINT64_MAX);
	vol_fence_acked(&f, 100000, 15000);
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		assert_int_equal(vol_fence_look(&f, rows[i].now_ms, &next),
				 rows[i].state);
		assert_int_equal(next, rows[i].next_ms);
	}
}

static void answers(void **state)
{
	struct vol_fence f = {.armed = false};

	(void)state;
	vol_fence_acked(&f, 1000, 15000);
	vol_fence_acked(&f, 6000, 20000);
	assert_int_equal(f.acked_ms, 6000);
	assert_int_equal(f.lease_ms, 20000);
	/* One that was overtaken. */
	vol_fence_acked(&f, 5000, 60000);
	assert_int_equal(f.acked_ms, 6000);
	assert_int_equal(f.lease_ms, 20000);
	assert_true(f.armed);
}

/* Whatever the network does to pings: when the controller gives up, the
 * device has killed at least a fifth of the lease (a second) ago. */
static void device_is_first(void **state)
{
	static const uint32_t leases[] = {2500, 5000, 15000, 60000, 600000};
	uint64_t next;

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(leases); i++)
		for (uint64_t delay = 0; delay < leases[i]; delay += 100) {
			struct vol_fence f = {.armed = false};
			uint64_t sent = 50000, heard = sent + delay;
			uint64_t lost = heard + leases[i];

			vol_fence_acked(&f, sent, leases[i]);
			assert_int_equal(
				vol_fence_look(
					&f, lost - vol_fence_margin(leases[i]),
					&next),
				VOL_FENCE_KILL);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(margins),
		cmocka_unit_test(looks),
		cmocka_unit_test(answers),
		cmocka_unit_test(device_is_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
