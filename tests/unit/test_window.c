/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_window.c - with how many of the best candidates a start is tried */
#include "config.h"

#include "vtest.h"
#include "window.h"

#define N 40

static struct vol_candidate list[N];
static struct vol_candidates candidates = {.list = list, .n = N};
static struct vol_window window;

/* Classes of four, the heaviest first; the last of each class is dropped. */
static void start(void)
{
	memset(list, 0, sizeof(list));
	window = (struct vol_window){0};
	for (uint32_t i = 0; i < N; i++) {
		list[i].order = (uint64_t)(N - i - 1) / 4 << 40;
		list[i].dropped = i % 4 == 3;
	}
}

static uint64_t limit(void)
{
	return vol_window_limit(&window, &candidates);
}

/* It got the candidate, or, with N, none. */
static void learn(size_t taken)
{
	for (size_t i = 0; i < N; i++)
		list[i].taken = i == taken;
	vol_window_learn(&window, &candidates);
}

static void as_many_as_the_last_start_needed(void **state)
{
	(void)state;
	start();
	assert_true(limit() == VOL_WINDOW_ALL);
	learn(30); /* of the third class */
	assert_int_equal(window.wanted, 9);
	assert_true(limit() == UINT64_C(2) << 40);
	learn(36);
	assert_int_equal(window.wanted, 3);
	assert_true(limit() == 0);
	/* Of other candidates it is as many. */
	list[36].dropped = true;
	assert_true(limit() == UINT64_C(1) << 40);
	/* With the heaviest there is nothing to hide. */
	learn(0);
	assert_int_equal(window.wanted, 29);
	assert_true(limit() == VOL_WINDOW_ALL);
	learn(N);
	assert_int_equal(window.wanted, 0);
	assert_true(limit() == VOL_WINDOW_ALL);
}

static void several_are_taken(void **state)
{
	(void)state;
	start();
	limit();
	list[37].taken = list[32].taken = list[33].taken = true;
	vol_window_learn(&window, &candidates);
	assert_int_equal(window.wanted, 6);
}

/* Only what was looked at in that call teaches anything. */
static void nothing_is_learnt_of_others(void **state)
{
	(void)state;
	start();
	limit();
	learn(36);
	learn(0);
	assert_int_equal(window.wanted, 3);
	/* Too many weights: their table is not whole. */
	for (uint32_t i = 0; i < N; i++)
		list[i] = (struct vol_candidate){.order = N - i};
	assert_true(limit() == VOL_WINDOW_ALL);
	learn(0);
	assert_int_equal(window.wanted, 3);
	candidates.n = VOL_WINDOW_CLASSES;
	assert_true(limit() == list[VOL_WINDOW_CLASSES - 3].order);
	candidates.n = 0;
	assert_true(limit() == VOL_WINDOW_ALL);
	learn(N);
	candidates.n = N;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_many_as_the_last_start_needed),
		cmocka_unit_test(several_are_taken),
		cmocka_unit_test(nothing_is_learnt_of_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
