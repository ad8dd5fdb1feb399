/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_ckretain.c - what goes, in which order, and what never does */
#include "config.h"

#include "ckretain.h"

#include <errno.h>

#include "vtest.h"

#define NOW   1000000
#define HOUR  3600
#define NO    VOL_CKDROP_NO
#define SUPER VOL_CKDROP_SUPERSEDED

static const struct vol_ckretention unlimited = {
	.old_s = 24 * HOUR,
	.broken_s = HOUR,
	.user_bytes = UINT64_MAX,
	.store_bytes = UINT64_MAX,
};

/* One of job 7, user 1000, of 100 bytes. */
#define ONE(_sequence, _age, _complete, _live)                               \
	{                                                                    \
		.job = 7, .restarts = 1, .sequence = _sequence, .uid = 1000, \
		.bytes = 100, .when = NOW - (_age), .complete = _complete,   \
		.live = _live, .drop = SUPER                                 \
	}

static void expect(struct vol_ckstored *list, size_t n,
		   const struct vol_ckretention *policy,
		   const enum vol_ckdrop *want)
{
	assert_int_equal(vol_ckretain(list, n, policy, NOW, NULL, NULL), 0);
	for (size_t i = 0; i < n; i++)
		if (list[i].drop != want[i])
			fail_msg("%zu is \"%s\", want \"%s\"", i,
				 vol_ckdrop_word(list[i].drop),
				 vol_ckdrop_word(want[i]));
}

static void newest_two(void **state)
{
	struct vol_ckstored list[] = {
		ONE(2, 30, true, true), ONE(4, 10, true, true),
		ONE(1, 40, true, true), ONE(3, 20, true, true),
		ONE(5, 5, false, true),
	};
	const enum vol_ckdrop want[] = {SUPER, NO, SUPER, NO, NO};

	(void)state;
	expect(list, 5, &unlimited, want);
	/* A later run of the job is newer, whatever its number. */
	list[2].restarts = 2;
	expect(list, 5, &unlimited,
	       (const enum vol_ckdrop[]){SUPER, NO, NO, SUPER,
					 VOL_CKDROP_BROKEN});
	assert_int_equal(vol_ckretain(NULL, 0, &unlimited, NOW, NULL, NULL), 0);
}

static void broken_and_old(void **state)
{
	struct vol_ckstored list[] = {
		ONE(3, HOUR + 1, false, true), /* stopped coming */
		ONE(2, HOUR, true, true),
		ONE(1, HOUR, false, true), /* a newer one is whole */
	};
	struct vol_ckstored gone[] = {
		ONE(2, 25 * HOUR, true, false),
		ONE(1, 26 * HOUR, true, false),
	};
	struct vol_ckstored busy[] = {
		ONE(3, 9 * HOUR, false, true),
		ONE(2, 9 * HOUR, true, true),
		ONE(1, 9 * HOUR, true, true),
		ONE(0, 9 * HOUR, true, true),
	};

	(void)state;
	expect(list, 3, &unlimited,
	       (const enum vol_ckdrop[]){VOL_CKDROP_BROKEN, NO,
					 VOL_CKDROP_BROKEN});
	expect(gone, 2, &unlimited,
	       (const enum vol_ckdrop[]){VOL_CKDROP_OLD, VOL_CKDROP_OLD});
	/* However old, of a job that is there. */
	gone[0].live = gone[1].live = true;
	expect(gone, 2, &unlimited, (const enum vol_ckdrop[]){NO, NO});
	busy[0].busy = busy[3].busy = true;
	expect(busy, 4, &unlimited, (const enum vol_ckdrop[]){NO, NO, NO, NO});
	/* A clock that was set back. */
	gone[0].live = gone[1].live = false;
	gone[0].when = gone[1].when = NOW + 5000;
	expect(gone, 2, &unlimited, (const enum vol_ckdrop[]){NO, NO});
}

static void quotas(void **state)
{
	struct vol_ckretention policy = unlimited;
	struct vol_ckstored list[] = {
		ONE(2, 10, true, true),  ONE(1, 20, true, true),
		ONE(2, 30, true, false), ONE(1, 40, true, false),
		ONE(1, 50, true, true),
	};

	(void)state;
	list[2].job = list[3].job = 8;
	list[4].job = 9;
	list[4].uid = 1001;
	policy.user_bytes = 400;
	expect(list, 5, &policy, (const enum vol_ckdrop[]){NO, NO, NO, NO, NO});
	policy.user_bytes = 399; /* the oldest previous one */
	expect(list, 5, &policy,
	       (const enum vol_ckdrop[]){NO, NO, NO, VOL_CKDROP_USER, NO});
	policy.user_bytes = 200; /* then the other */
	expect(list, 5, &policy,
	       (const enum vol_ckdrop[]){NO, VOL_CKDROP_USER, NO,
					 VOL_CKDROP_USER, NO});
	policy.user_bytes = 1; /* then of jobs that are gone; never more */
	expect(list, 5, &policy,
	       (const enum vol_ckdrop[]){NO, VOL_CKDROP_USER, VOL_CKDROP_USER,
					 VOL_CKDROP_USER, NO});
	policy.user_bytes = 300;
	policy.store_bytes = 250;
	expect(list, 5, &policy,
	       (const enum vol_ckdrop[]){NO, VOL_CKDROP_STORE, VOL_CKDROP_STORE,
					 VOL_CKDROP_USER, NO});
	policy.user_bytes = policy.store_bytes = 0;
	expect(list, 5, &policy,
	       (const enum vol_ckdrop[]){NO, VOL_CKDROP_USER, VOL_CKDROP_USER,
					 VOL_CKDROP_USER, NO});
	/* Sums that do not fit 64 bits. */
	for (size_t i = 0; i < 5; i++)
		list[i].bytes = UINT64_MAX - i;
	policy.store_bytes = UINT64_MAX - 1;
	policy.user_bytes = UINT64_MAX;
	expect(list, 5, &policy,
	       (const enum vol_ckdrop[]){NO, VOL_CKDROP_STORE, VOL_CKDROP_STORE,
					 VOL_CKDROP_STORE, NO});
}

static void incoming(void **state)
{
	struct vol_ckretention policy = unlimited;
	struct vol_ckincoming coming = {.job = 7, .uid = 1000, .bytes = 150};
	struct vol_ckstored list[] = {
		ONE(2, 10, true, true),
		ONE(1, 20, true, true),
		ONE(1, 50, true, false),
	};
	struct vol_error err;

	(void)state;
	list[2].job = 9;
	list[2].uid = 1001;
	policy.user_bytes = 250;
	assert_int_equal(vol_ckretain(list, 3, &policy, NOW, &coming, &err), 0);
	assert_int_equal(list[1].drop, VOL_CKDROP_USER);
	assert_int_equal(list[0].drop, NO);
	/* Not even so: what is there stays. */
	coming.bytes = 151;
	assert_int_equal(vol_ckretain(list, 3, &policy, NOW, &coming, &err),
			 -1);
	assert_int_equal(errno, EDQUOT);
	assert_string_equal(err.text, "151 of images do not fit into the 250 "
				      "of its user");
	assert_int_equal(list[1].drop, NO);
	policy.user_bytes = UINT64_MAX;
	policy.store_bytes = 250;
	coming.bytes = 100;
	assert_int_equal(vol_ckretain(list, 3, &policy, NOW, &coming, &err), 0);
	assert_int_equal(list[1].drop, VOL_CKDROP_STORE);
	assert_int_equal(list[2].drop, VOL_CKDROP_STORE);
	coming.bytes = 200;
	assert_int_equal(vol_ckretain(list, 3, &policy, NOW, &coming, &err),
			 -1);
	assert_int_equal(errno, ENOSPC);
	/* As it is without: over the quota already. */
	assert_int_equal(list[0].drop, NO);
	assert_int_equal(list[1].drop, VOL_CKDROP_STORE);
	assert_int_equal(list[2].drop, NO);
	coming.bytes = UINT64_MAX;
	assert_int_equal(vol_ckretain(list, 3, &policy, NOW, &coming, NULL),
			 -1);
}

static uint32_t random_of(uint32_t *state, uint32_t n)
{
	*state = *state * 1664525 + 1013904223;
	return (*state >> 8) % n;
}

/* Whatever the list: the newest complete one of a job that is there stays. */
static void never(void **state)
{
	struct vol_ckstored list[40];
	uint32_t seed = 1;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		struct vol_ckretention policy = {
			.old_s = random_of(&seed, 50),
			.broken_s = random_of(&seed, 50),
			.user_bytes = random_of(&seed, 500),
			.store_bytes = random_of(&seed, 1000),
		};

		for (size_t i = 0; i < N_ELEMENTS(list); i++)
			list[i] = (struct vol_ckstored){
				.job = random_of(&seed, 6),
				.restarts = random_of(&seed, 3),
				.sequence = (uint32_t)i,
				.bytes = random_of(&seed, 100),
				.when = NOW - random_of(&seed, 100),
				.complete = random_of(&seed, 3) > 0,
			};
		for (size_t i = 0; i < N_ELEMENTS(list); i++) {
			list[i].uid = list[i].job / 2;
			list[i].live = list[i].job % 2;
		}
		vol_ckretain(list, N_ELEMENTS(list), &policy, NOW, NULL, NULL);
		for (size_t i = 0; i < N_ELEMENTS(list); i++) {
			bool newest = list[i].complete && list[i].live;

			for (size_t j = 0; j < N_ELEMENTS(list); j++)
				if (list[j].job == list[i].job &&
				    list[j].complete &&
				    (list[j].restarts > list[i].restarts ||
				     (list[j].restarts == list[i].restarts &&
				      j > i)))
					newest = false;
			assert_false(newest && list[i].drop != NO);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(newest_two), cmocka_unit_test(broken_and_old),
		cmocka_unit_test(quotas),     cmocka_unit_test(incoming),
		cmocka_unit_test(never),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
