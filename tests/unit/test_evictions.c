/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_evictions.c - jobs that are to start elsewhere, and their parked time */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "device/evictions.h"
#include "device/parkclock.h"
#include "vtest.h"

static uint32_t due(struct vol_evictions *e, uint64_t now)
{
	uint64_t next = UINT64_MAX;
	const struct vol_eviction *x = vol_evictions_due(e, now, &next);

	return x ? x->job : 0;
}

static void test_asks_once_and_again_later(void **state)
{
	struct vol_evictions e = {0};
	uint64_t next = UINT64_MAX;

	(void)state;
	assert_int_equal(vol_evictions_want(&e, 7, false, false, "x"), 0);
	assert_int_equal(vol_evictions_want(&e, 7, false, false, "y"), 0);
	assert_int_equal(due(&e, 100), 7);
	assert_null(vol_evictions_due(&e, 101, &next));
	assert_int_equal(next, 100 + VOL_EVICTION_RETRY_MS);
	assert_int_equal(due(&e, next), 7);
	vol_evictions_ask_again(&e);
	assert_int_equal(due(&e, next), 7);
	assert_true(vol_evictions_pending(&e));
	assert_true(vol_evictions_answered(&e, 7, VOL_OUTCOME_REQUEUED, 0));
	assert_false(vol_evictions_pending(&e));
	/* It is not asked for again while its steps end. */
	vol_evictions_want(&e, 7, false, true, "z");
	vol_evictions_ask_again(&e);
	assert_int_equal(due(&e, VOL_EVICTION_AGAIN_MS - 1), 0);
	assert_false(vol_evictions_answered(&e, 7, VOL_OUTCOME_REQUEUED, 0));
	vol_evictions_drop(&e, 7);
	assert_false(vol_evictions_has(&e, 7));
	vol_evictions_clear(&e);
}

/* Whoever asks looks whether its report is still on its way. */
static void test_its_report_is_known(void **state)
{
	struct vol_evictions e = {0};
	uint64_t next = UINT64_MAX;
	const struct vol_eviction *x;

	(void)state;
	vol_evictions_reported(&e, 7, 1); /* nobody */
	vol_evictions_want(&e, 7, false, false, "x");
	x = vol_evictions_due(&e, 0, &next);
	assert_int_equal(x->report, 0);
	vol_evictions_reported(&e, 7, 3);
	vol_evictions_ask_again(&e);
	x = vol_evictions_due(&e, 1, &next);
	assert_int_equal(x->report, 3);
	/* A stronger wish is another one. */
	vol_evictions_want(&e, 7, false, true, "x");
	x = vol_evictions_due(&e, 2, &next);
	assert_int_equal(x->report, 0);
	vol_evictions_clear(&e);
}

static void test_refused_waits_unless_forced(void **state)
{
	struct vol_evictions e = {0};

	(void)state;
	vol_evictions_want(&e, 7, false, false, "x");
	assert_int_equal(due(&e, 0), 7);
	assert_true(vol_evictions_answered(&e, 7, VOL_OUTCOME_REFUSED, 10));
	assert_true(vol_evictions_has(&e, 7));
	assert_false(vol_evictions_pending(&e));
	assert_int_equal(due(&e, 10 + VOL_EVICTION_RETRY_MS), 0);
	/* The same wish again changes nothing, a stronger one does. */
	vol_evictions_want(&e, 7, false, false, "x");
	assert_int_equal(due(&e, 20), 0);
	vol_evictions_want(&e, 7, false, true, "x");
	assert_int_equal(due(&e, 20), 7);
	vol_evictions_answered(&e, 7, VOL_OUTCOME_REFUSED, 30);
	assert_int_equal(due(&e, 29 + VOL_EVICTION_AGAIN_MS), 0);
	assert_int_equal(due(&e, 30 + VOL_EVICTION_AGAIN_MS), 7);
	vol_evictions_clear(&e);
}

/* It must not be held for ever if it was started here again. */
static void test_granted_but_still_here(void **state)
{
	const uint64_t later = 10 + VOL_EVICTION_AGAIN_MS;
	struct vol_evictions e = {0};
	uint64_t next = UINT64_MAX;

	(void)state;
	vol_evictions_want(&e, 7, false, false, "x");
	assert_int_equal(due(&e, 0), 7);
	assert_true(vol_evictions_answered(&e, 7, VOL_OUTCOME_REQUEUED, 10));
	assert_null(vol_evictions_due(&e, 11, &next));
	assert_int_equal(next, later);
	assert_int_equal(due(&e, later), 7);
	assert_true(vol_evictions_pending(&e));
	/* Killed once more before the answer. */
	vol_evictions_fenced(&e, 7);
	assert_true(vol_evictions_answered(&e, 7, VOL_OUTCOME_GONE, later));
	assert_false(vol_evictions_has(&e, 7));
	vol_evictions_clear(&e);
}

static void test_pardon_spares_what_was_decided(void **state)
{
	struct vol_evictions e = {0};

	(void)state;
	for (uint32_t job = 1; job <= 3; job++)
		vol_evictions_want(&e, job, job != 2, job != 2, "x");
	while (due(&e, 0))
		;
	vol_evictions_answered(&e, 3, VOL_OUTCOME_REQUEUED, 0);
	vol_evictions_pardon(&e);
	for (size_t i = 0; i < e.n; i++) {
		assert_int_equal(e.list[i].exclude, e.list[i].job == 3);
		assert_int_equal(e.list[i].force, e.list[i].job == 3);
		assert_int_equal(e.list[i].refused, e.list[i].job == 1);
	}
	/* Still not welcome: asked for at once. */
	vol_evictions_want(&e, 1, true, true, "x");
	assert_int_equal(due(&e, 1), 1);
	vol_evictions_clear(&e);
}

/* What is to be saved first is asked for when that is over, once. */
static void test_saved_before_it_is_asked_for(void **state)
{
	struct vol_evictions e = {0};
	uint64_t next = UINT64_MAX;

	(void)state;
	vol_evictions_put_off(&e, 7, VOL_SAVING_NOW); /* nobody */
	for (uint32_t job = 7; job <= 9; job++)
		vol_evictions_want(&e, job, false, false, "x");
	assert_int_equal(due(&e, 0), 7);
	vol_evictions_put_off(&e, 7, VOL_SAVING_NOW);
	assert_int_equal(due(&e, 0), 8);
	vol_evictions_put_off(&e, 8, VOL_SAVING_WAITS);
	assert_int_equal(due(&e, 0), 9);
	vol_evictions_reported(&e, 9, 1);
	/* Nothing brings it forward: no time, no link, no stronger wish. */
	vol_evictions_ask_again(&e);
	assert_int_equal(due(&e, 1), 9);
	vol_evictions_want(&e, 7, false, true, "x");
	assert_int_equal(due(&e, VOL_EVICTION_RETRY_MS), 0);
	assert_null(vol_evictions_due(&e, VOL_EVICTION_RETRY_MS, &next));
	assert_int_equal(next, 1 + VOL_EVICTION_RETRY_MS);
	assert_true(vol_evictions_pending(&e));
	vol_evictions_saved(&e);
	assert_int_equal(e.list[0].saving, VOL_SAVING_OVER);
	assert_int_equal(e.list[1].saving, VOL_SAVING_NOT_YET);
	assert_int_equal(e.list[2].saving, VOL_SAVING_OVER);
	assert_int_equal(due(&e, 10), 7);
	assert_int_equal(due(&e, 10), 8);
	assert_int_equal(due(&e, 10), 0);
	vol_evictions_saved(&e);
	assert_int_equal(due(&e, 10), 0);
	vol_evictions_clear(&e);
}

/* Slurm ended it meanwhile: nothing to ask at once.  One that is welcome again
 * must not go on past its image. */
static void test_answered_while_being_saved(void **state)
{
	struct vol_evictions e = {0};

	(void)state;
	vol_evictions_want(&e, 7, false, false, "x");
	vol_evictions_want(&e, 8, true, false, "x");
	while (due(&e, 0))
		;
	vol_evictions_put_off(&e, 7, VOL_SAVING_NOW);
	vol_evictions_put_off(&e, 8, VOL_SAVING_NOW);
	vol_evictions_answered(&e, 7, VOL_OUTCOME_GONE, 0);
	vol_evictions_pardon(&e);
	assert_false(e.list[1].exclude || e.list[1].refused);
	/* Said of an earlier question: the image may be kept after that. */
	assert_false(vol_evictions_answered(&e, 8, VOL_OUTCOME_REFUSED, 0));
	vol_evictions_saved(&e);
	assert_int_equal(due(&e, 1), 8);
	assert_int_equal(due(&e, 1), 0);
	vol_evictions_pardon(&e);
	assert_false(e.list[1].refused);
	assert_true(vol_evictions_answered(&e, 8, VOL_OUTCOME_REFUSED, 1));
	assert_true(e.list[1].refused);
	assert_false(vol_evictions_is_kept(&e, 8));
	vol_evictions_clear(&e);
}

static void test_fenced_outlive_us(void **state)
{
	char path[] = "/tmp/test_evictions.XXXXXX";
	struct vol_evictions e = {0}, f = {0};
	struct vol_error err;
	FILE *file;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	for (uint32_t job = 1; job <= 40; job++)
		vol_evictions_want(&e, job, false, false, "x");
	vol_evictions_fenced(&e, 3);
	vol_evictions_fenced(&e, UINT32_MAX);
	assert_int_equal(vol_evictions_save(&e, path, &err), 0);
	assert_int_equal(vol_evictions_load(&f, path, &err), 0);
	assert_int_equal(f.n, 2);
	assert_true(vol_evictions_is_fenced(&f, 3));
	assert_true(vol_evictions_is_fenced(&f, UINT32_MAX));
	/* Refused, perhaps since slurmctld was busy: it is asked for again. */
	assert_true(vol_evictions_answered(&f, 3, VOL_OUTCOME_REFUSED, 0));
	assert_true(vol_evictions_is_fenced(&f, 3));
	assert_true(vol_evictions_answered(&f, 3, VOL_OUTCOME_REQUEUED, 0));
	assert_false(vol_evictions_has(&f, 3));
	vol_evictions_drop(&f, UINT32_MAX);
	assert_int_equal(vol_evictions_save(&f, path, &err), 0);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(vol_evictions_load(&f, path, &err), 0);
	file = fopen(path, "w");
	fputs("12\nx\n", file);
	fclose(file);
	assert_int_equal(vol_evictions_load(&f, path, &err), -1);
	assert_non_null(strstr(err.text, ":2: not a job number"));
	unlink(path);
	vol_evictions_clear(&e);
	vol_evictions_clear(&f);
}

static void test_kept_outlive_us(void **state)
{
	char path[] = "/tmp/test_evictions.XXXXXX";
	static const char *const bad[] = {"12 keep\n",     "12 kept \n",
					  "kept\n",        " kept\n",
					  "0 kept\n",      "12kept\n",
					  "12 kept kept\n"};
	struct vol_evictions e = {0}, f = {0};
	struct vol_error err;
	FILE *file;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	for (uint32_t job = 1; job <= 4; job++)
		vol_evictions_want(&e, job, false, false, "x");
	vol_evictions_put_off(&e, 1, VOL_SAVING_WAITS);
	vol_evictions_put_off(&e, 2, VOL_SAVING_NOW);
	vol_evictions_put_off(&e, 3, VOL_SAVING_NOW);
	vol_evictions_put_off(&e, 3, VOL_SAVING_NOT_YET); /* it did not begin */
	vol_evictions_fenced(&e, 4);
	assert_int_equal(vol_evictions_save(&e, path, &err), 0);
	assert_int_equal(vol_evictions_load(&f, path, &err), 0);
	assert_int_equal(f.n, 2);
	assert_true(vol_evictions_is_kept(&f, 2));
	assert_true(vol_evictions_is_fenced(&f, 4));
	/* Saved once more, as that may have been broken off; whatever comes of
	 * it, there may be an image from before. */
	assert_int_equal(f.list[0].saving, VOL_SAVING_NOT_YET);
	vol_evictions_put_off(&f, 2, VOL_SAVING_WAITS);
	assert_true(vol_evictions_is_kept(&f, 2));
	vol_evictions_put_off(&f, 2, VOL_SAVING_NOW);
	vol_evictions_saved(&f);
	assert_true(vol_evictions_is_kept(&f, 2));
	assert_int_equal(due(&f, 0), 2);
	assert_true(vol_evictions_answered(&f, 2, VOL_OUTCOME_REQUEUED, 0));
	assert_true(vol_evictions_is_kept(&f, 2));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		file = fopen(path, "w");
		fputs(bad[i], file);
		fclose(file);
		assert_int_equal(vol_evictions_load(&f, path, &err), -1);
		assert_non_null(strstr(err.text, ":1: not a job number"));
	}
	unlink(path);
	vol_evictions_clear(&e);
	vol_evictions_clear(&f);
}

static void park(struct vol_parkclock *c, const uint32_t *jobs, size_t n,
		 bool stopped, uint64_t now_ms)
{
	const bool all[] = {stopped, stopped};

	assert_int_equal(vol_parkclock_jobs(c, jobs, all, n, now_ms), 0);
}

/* One is held while the other goes on. */
static void test_parked_one_by_one(void **state)
{
	static const bool held[] = {false, true};
	const uint32_t jobs[] = {5, 6};
	struct vol_parkclock c = {0};
	uint32_t s = 0;

	(void)state;
	park(&c, jobs, 2, false, 0);
	assert_int_equal(vol_parkclock_jobs(&c, jobs, held, 2, 10000), 0);
	assert_int_equal(vol_parkclock_tell(&c, 50000, 30, &s), 6);
	assert_int_equal(s, 40);
	assert_int_equal(vol_parkclock_tell(&c, 50000, 30, &s), 0);
	vol_parkclock_clear(&c);
}

static void test_parked_time_adds_up(void **state)
{
	struct vol_parkclock c = {0};
	uint32_t jobs[] = {5, 6}, s = 0;

	(void)state;
	park(&c, jobs, 2, false, 0);
	park(&c, jobs, 2, true, 10000);
	assert_int_equal(vol_parkclock_tell(&c, 20000, 30, &s), 0);
	assert_int_equal(vol_parkclock_tell(&c, 40000, 30, &s), 5);
	assert_int_equal(s, 30);
	assert_int_equal(vol_parkclock_tell(&c, 40000, 30, &s), 6);
	assert_int_equal(vol_parkclock_tell(&c, 40000, 30, &s), 0);
	/* Running again: the rest is told at once. */
	park(&c, jobs, 1, false, 45000);
	assert_int_equal(vol_parkclock_tell(&c, 45000, 30, &s), 5);
	assert_int_equal(s, 35);
	assert_int_equal(vol_parkclock_tell(&c, 99000, 30, &s), 0);
	park(&c, jobs, 1, true, 100000);
	park(&c, jobs, 1, false, 101000);
	assert_int_equal(vol_parkclock_tell(&c, 101000, 30, &s), 5);
	assert_int_equal(s, 36);
	vol_parkclock_untell(&c);
	assert_int_equal(vol_parkclock_tell(&c, 101000, 30, &s), 5);
	/* Gone and back: a new life of the job. */
	park(&c, NULL, 0, false, 110000);
	park(&c, jobs, 1, false, 120000);
	assert_int_equal(vol_parkclock_tell(&c, 130000, 30, &s), 0);
	vol_parkclock_clear(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_asks_once_and_again_later),
		cmocka_unit_test(test_its_report_is_known),
		cmocka_unit_test(test_refused_waits_unless_forced),
		cmocka_unit_test(test_granted_but_still_here),
		cmocka_unit_test(test_pardon_spares_what_was_decided),
		cmocka_unit_test(test_saved_before_it_is_asked_for),
		cmocka_unit_test(test_answered_while_being_saved),
		cmocka_unit_test(test_fenced_outlive_us),
		cmocka_unit_test(test_kept_outlive_us),
		cmocka_unit_test(test_parked_time_adds_up),
		cmocka_unit_test(test_parked_one_by_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
