/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_parked.c - parked time is added to the limit, once and never too little
 */
#include "config.h"

#include "parked.h"

#include "vtest.h"

#define NOW 1000000

struct row {
	const char *what;
	uint32_t seconds, granted_min;
	bool due;
	int left_s; /* of the job */
	uint32_t limit_min;
	enum vol_parked_step want;
	uint32_t new_limit, now_granted;
};

#define UNLIMITED VOL_JOB_UNLIMITED

/* The job began two hours ago. */
static const struct row rows[] = {
	{"reopens", 600, 0, true, 3600, 180, VOL_PARKED_EXTEND, 190, 10},
	{"a second counts", 601, 0, true, 3600, 180, VOL_PARKED_EXTEND, 191,
	 11},
	{"not at all", 0, 0, true, 3600, 180, VOL_PARKED_NOTHING, 0, 0},
	{"again", 600, 10, true, 3600, 190, VOL_PARKED_NOTHING, 0, 10},
	{"more", 660, 10, true, 3600, 190, VOL_PARKED_EXTEND, 191, 11},
	{"in a minute already paid", 630, 11, true, 3600, 191,
	 VOL_PARKED_NOTHING, 0, 11},
	{"granted ahead", 600, 12, true, 3600, 192, VOL_PARKED_NOTHING, 0, 12},
	{"parked, end is far", 600, 0, false, 121, 180, VOL_PARKED_NOTHING, 0,
	 0},
	{"parked, end is near", 600, 0, false, 119, 180, VOL_PARKED_EXTEND, 191,
	 11},
	{"parked for a moment, near", 1, 0, false, 30, 180, VOL_PARKED_EXTEND,
	 182, 2},
	{"parked, past its end", 600, 0, false, -20, 180, VOL_PARKED_EXTEND,
	 191, 11},
	{"no limit", 600, 0, true, 100, UNLIMITED, VOL_PARKED_NOTHING, 0, 0},
	{"no limit, parked", 600, 0, false, 100, UNLIMITED, VOL_PARKED_NOTHING,
	 0, 0},
	{"a lie", 4000000, 0, true, 3600, 180, VOL_PARKED_EXTEND, 300, 120},
	{"near the largest", 600, 0, true, 3600, UNLIMITED - 5,
	 VOL_PARKED_NOTHING, 0, 0},
};

static void start(struct vol_grant *g, struct vol_slurm_job *job)
{
	memset(g, 0, sizeof(*g));
	memset(job, 0, sizeof(*job));
	g->job = job->id = 17;
	job->state = VOL_JOB_RUNNING;
	job->start = NOW - 7200;
	job->end = NOW + 3600;
	job->limit_min = 180;
}

static void each_row(void **state)
{
	const struct row *row;
	struct vol_slurm_job job;
	struct vol_grant g;
	uint32_t limit;
	size_t i;

	(void)state;
	for (i = 0; i < N_ELEMENTS(rows); i++) {
		row = &rows[i];
		start(&g, &job);
		g.seconds = row->seconds;
		g.granted_min = row->granted_min;
		g.due = row->due;
		g.parked = !row->due;
		job.end = NOW + row->left_s;
		job.limit_min = row->limit_min;
		limit = 0;
		if (vol_parked_decide(&g, &job, true, NOW, &limit) !=
			    row->want ||
		    limit != row->new_limit ||
		    g.granted_min != row->now_granted)
			fail_msg("%s: limit %u, granted %u", row->what, limit,
				 g.granted_min);
		assert_false(g.due);
	}
}

static void ended_jobs_are_forgotten(void **state)
{
	struct vol_slurm_job job;
	struct vol_grant g;
	uint32_t limit;

	(void)state;
	start(&g, &job);
	assert_int_equal(vol_parked_decide(&g, NULL, false, NOW, &limit),
			 VOL_PARKED_FORGET);
	assert_int_equal(vol_parked_decide(&g, &job, false, NOW, &limit),
			 VOL_PARKED_FORGET);
	job.state = VOL_JOB_PENDING;
	assert_int_equal(vol_parked_decide(&g, &job, true, NOW, &limit),
			 VOL_PARKED_FORGET);
	/* Nor is one that simply comes to its end helped. */
	job.state = VOL_JOB_RUNNING;
	job.end = NOW + 1;
	g.seconds = 600;
	assert_int_equal(vol_parked_decide(&g, &job, true, NOW, &limit),
			 VOL_PARKED_NOTHING);
	job.state = VOL_JOB_SUSPENDED;
	assert_int_equal(vol_parked_decide(&g, &job, true, NOW, &limit),
			 VOL_PARKED_NOTHING);
}

/* Requeued and here again: what was granted was for its earlier run. */
static void a_new_run_starts_from_nothing(void **state)
{
	struct vol_slurm_job job;
	struct vol_grant g;
	uint32_t limit;

	(void)state;
	start(&g, &job);
	g.granted_min = 10;
	g.seconds = 60;
	g.due = true;
	job.restarts = 1;
	assert_int_equal(vol_parked_decide(&g, &job, true, NOW, &limit),
			 VOL_PARKED_EXTEND);
	assert_int_equal(limit, 181);
	assert_int_equal(g.granted_min, 1);
	assert_int_equal(g.restarts, 1);
}

/* Any order of totals and reopenings: never less than was lost, never more
 * than two minutes above, never shorter. */
static void long_histories_add_up(void **state)
{
	uint32_t seed = 1, limit, total, n, i;
	struct vol_slurm_job job;
	struct vol_grant g;
	time_t now;

	(void)state;
	for (n = 0; n < 200; n++) {
		start(&g, &job);
		job.start = NOW;
		job.limit_min = 60;
		now = NOW;
		total = 0;
		for (i = 0; i < 100; i++) {
			seed = seed * 1103515245 + 12345;
			now += 1 + (seed >> 16) % 60;
			job.end = job.start + (time_t)job.limit_min * 60;
			if (seed & 0x100)
				total += (seed >> 20) %
					 (uint32_t)(now - NOW - total + 1);
			g.seconds = total;
			g.due = seed & 0x200;
			g.parked = !g.due;
			limit = job.limit_min;
			vol_parked_decide(&g, &job, true, now, &limit);
			assert_true(limit >= job.limit_min);
			job.limit_min = limit;
			assert_true(limit <= 60 + total / 60 + 2);
			if (seed & 0x200)
				assert_true(limit * 60 >= 3600 + total);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row),
		cmocka_unit_test(ended_jobs_are_forgotten),
		cmocka_unit_test(a_new_run_starts_from_nothing),
		cmocka_unit_test(long_histories_add_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
