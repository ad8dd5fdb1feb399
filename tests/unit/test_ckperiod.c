/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_ckperiod.c - whose turn it is to be written down */
#include "config.h"

#include "ckperiod.h"

#include <math.h>

#include "vtest.h"

#define JOB(n, every, run)                                                    \
	{                                                                     \
		.job = (n), .restarts = 0, .every_ms = (every), .runs = (run) \
	}

static struct vol_ckperiod p;

static int clear(void **state)
{
	(void)state;
	vol_ckperiod_clear(&p);
	return 0;
}

static void look(const struct vol_ckjob *jobs, size_t n, uint64_t now_ms)
{
	assert_int_equal(vol_ckperiod_look(&p, jobs, n, now_ms), 0);
}

static void is_due(uint32_t job, uint64_t wait_ms)
{
	uint64_t next = 99999;

	assert_int_equal(vol_ckperiod_due(&p, &next), job);
	if (!job)
		assert_int_equal(next, wait_ms);
}

static void nothing(void **state)
{
	uint64_t wait = 7;

	(void)state;
	assert_int_equal(vol_ckperiod_due(&p, &wait), 0);
	assert_int_equal(wait, 7);
	vol_ckperiod_written(&p, 1);
	vol_ckperiod_ended(&p, 1, VOL_CKEND_SAFE);
	assert_int_equal(vol_ckperiod_failures(&p, 1), 0);
	look(NULL, 0, 5);
	is_due(0, 99999);
}

static void a_job_is_due_after_its_interval(void **state)
{
	const struct vol_ckjob job = JOB(7, 1000, true);

	(void)state;
	/* What was before it was seen does not count. */
	look(&job, 1, 500000);
	is_due(0, 1000);
	look(&job, 1, 500400);
	is_due(0, 600);
	look(&job, 1, 501000);
	is_due(7, 0);
	/* From when its memory was written, not when it arrived. */
	look(&job, 1, 501100);
	vol_ckperiod_written(&p, 7);
	look(&job, 1, 501400);
	is_due(7, 0);
	vol_ckperiod_ended(&p, 7, VOL_CKEND_SAFE);
	is_due(0, 700);
	/* Somebody has thrown its images away. */
	vol_ckperiod_ended(&p, 7, VOL_CKEND_GONE);
	is_due(7, 0);
}

static void while_it_is_stopped_nothing_is_lost(void **state)
{
	const struct vol_ckjob runs = JOB(7, 1000, true),
			       stopped = JOB(7, 1000, false);

	(void)state;
	look(&runs, 1, 0);
	look(&stopped, 1, 800);
	is_due(0, 99999);
	look(&runs, 1, 90000);
	is_due(0, 200);
	look(&stopped, 1, 91000);
	/* Due, but not now. */
	is_due(0, 99999);
	look(&runs, 1, 92000);
	is_due(7, 0);
	/* A clock that went back is one that stood still. */
	look(&runs, 1, 10);
	is_due(7, 0);
}

static void one_after_the_other(void **state)
{
	const struct vol_ckjob jobs[] = {JOB(7, 1000, true), JOB(8, 500, true),
					 JOB(9, 5000, true)};

	(void)state;
	look(jobs, 3, 0);
	look(jobs, 3, 1200);
	is_due(8, 0);
	vol_ckperiod_written(&p, 8);
	vol_ckperiod_ended(&p, 8, VOL_CKEND_SAFE);
	is_due(7, 0);
	vol_ckperiod_written(&p, 7);
	vol_ckperiod_ended(&p, 7, VOL_CKEND_SAFE);
	is_due(0, 500);
	/* Gone, and back as another run of it. */
	look(jobs + 1, 2, 1300);
	look(jobs, 3, 1400);
	is_due(0, 300);
	look(jobs, 1, 1500);
	is_due(0, 900);
}

static void another_run_begins_anew(void **state)
{
	struct vol_ckjob job = JOB(7, 1000, true);

	(void)state;
	look(&job, 1, 0);
	look(&job, 1, 900);
	job.restarts = 1;
	look(&job, 1, 901);
	is_due(0, 1000);
}

static void failures_come_ever_less_often(void **state)
{
	const struct vol_ckjob job = JOB(7, 1000, true);
	uint64_t now = 0;

	(void)state;
	look(&job, 1, now);
	for (unsigned int i = 0; i < 3 * VOL_CKPERIOD_BACKOFF; i++) {
		unsigned int twice = i > 0 ? i - 1 : 0;
		uint64_t every = 1000ull << (twice < VOL_CKPERIOD_BACKOFF
						     ? twice
						     : VOL_CKPERIOD_BACKOFF);

		look(&job, 1, now += every - 1);
		is_due(0, 1);
		look(&job, 1, now += 1);
		is_due(7, 0);
		/* The owner came: that is nothing against the job. */
		vol_ckperiod_ended(&p, 7, VOL_CKEND_BROKEN_OFF);
		is_due(7, 0);
		assert_int_equal(vol_ckperiod_failures(&p, 7), i);
		vol_ckperiod_written(&p, 7);
		vol_ckperiod_ended(&p, 7, VOL_CKEND_FAILED);
		assert_int_equal(vol_ckperiod_failures(&p, 7), i + 1);
	}
	vol_ckperiod_ended(&p, 7, VOL_CKEND_SAFE);
	assert_int_equal(vol_ckperiod_failures(&p, 7), 0);
}

static void how_often(void **state)
{
	static const struct {
		uint32_t asked_s;
		uint64_t dump_ms, send_ms, owner_ms, every_ms;
	} rows[] = {
		{600, 1000, 1000, 60000, 600000},
		{10, 1000, 1000, 1000, 10000},
		/* What the owner wants. */
		{10, 1000, 1000, 60000, 60000},
		/* Four times what it takes. */
		{600, 50000, 150000, 60000, 800000},
		{1, 0, 0, 0, 1000},
		{1, UINT64_C(1000000000000000000),
		 UINT64_C(1000000000000000000), 0, UINT64_C(604800000)},
		{604800, 0, 0, UINT64_MAX, UINT64_C(604800000)},
	};
	struct vol_outlook o;
	struct vol_ckestimate e = {.dump_ms = 5000};
	uint64_t every;

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		const struct vol_ckestimate cost = {.dump_ms = rows[i].dump_ms,
						    .send_ms = rows[i].send_ms};

		assert_int_equal(vol_ckperiod_every_ms(rows[i].asked_s, NULL,
						       &cost, rows[i].owner_ms),
				 rows[i].every_ms);
	}
	/* As planned: the mean time to a loss without warning is 10 h. */
	for (unsigned int i = 0; i < VOL_OUTLOOK_POINTS; i++)
		o.survive[i] = (uint16_t)lround(
			VOL_OUTLOOK_ONE *
			exp(-(double)vol_outlook_seconds(i) / 3600));
	every = vol_ckperiod_every_ms(0, &o, &e, 1000);
	assert_int_equal(every, 1000 * vol_ckplan_interval_s(
					       &o, 5000, VOL_CKPLAN_SUDDEN));
	assert_in_range(every, 500000, 700000);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, clear, clear)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing),
		TEST(a_job_is_due_after_its_interval),
		TEST(while_it_is_stopped_nothing_is_lost),
		TEST(one_after_the_other),
		TEST(another_run_begins_anew),
		TEST(failures_come_ever_less_often),
		TEST(how_often),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
