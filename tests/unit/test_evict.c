/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_evict.c - jobs that must leave a device, and what they get back */
#include "config.h"

#include "evict.h"

#include "vtest.h"

#define NOW 1000000

struct ask_row {
	enum vol_job_state state;
	bool completing, batch, requeue, killed, here, force;
	enum vol_evict_step want;
};

#define Y true
#define N false

/* state, completing, batch, requeue, killed, here, force */
static const struct ask_row asks[] = {
	{VOL_JOB_RUNNING, N, Y, Y, N, Y, N, VOL_EVICT_REQUEUE},
	{VOL_JOB_RUNNING, N, Y, Y, N, Y, Y, VOL_EVICT_REQUEUE},
	{VOL_JOB_SUSPENDED, N, Y, Y, N, Y, N, VOL_EVICT_REQUEUE},
	/* A device speaks for itself only. */
	{VOL_JOB_RUNNING, N, Y, Y, N, N, N, VOL_EVICT_GONE},
	{VOL_JOB_RUNNING, N, Y, Y, N, N, Y, VOL_EVICT_GONE},
	{VOL_JOB_RUNNING, N, N, N, N, N, Y, VOL_EVICT_GONE},
	{VOL_JOB_FAILED, N, Y, Y, Y, N, N, VOL_EVICT_GONE},
	/* srun, salloc and --no-requeue. */
	{VOL_JOB_RUNNING, N, N, Y, N, Y, N, VOL_EVICT_REFUSE},
	{VOL_JOB_RUNNING, N, Y, N, N, Y, N, VOL_EVICT_REFUSE},
	{VOL_JOB_SUSPENDED, N, N, N, N, Y, N, VOL_EVICT_REFUSE},
	{VOL_JOB_RUNNING, N, N, Y, N, Y, Y, VOL_EVICT_CANCEL},
	{VOL_JOB_RUNNING, N, Y, N, N, Y, Y, VOL_EVICT_CANCEL},
	/* Requeued already: its processes are being ended. */
	{VOL_JOB_PENDING, Y, Y, Y, N, Y, N, VOL_EVICT_DONE},
	{VOL_JOB_PENDING, Y, Y, Y, N, Y, Y, VOL_EVICT_DONE},
	{VOL_JOB_PENDING, N, Y, Y, N, N, N, VOL_EVICT_GONE},
	/* Killed by a device that was cut off. */
	{VOL_JOB_FAILED, N, Y, Y, Y, Y, N, VOL_EVICT_REQUEUE},
	{VOL_JOB_FAILED, Y, Y, Y, Y, Y, N, VOL_EVICT_REQUEUE},
	{VOL_JOB_FAILED, N, Y, N, Y, Y, N, VOL_EVICT_GONE},
	{VOL_JOB_FAILED, N, N, Y, Y, Y, Y, VOL_EVICT_GONE},
	{VOL_JOB_FAILED, N, Y, Y, N, Y, N, VOL_EVICT_GONE},
	/* Completed, cancelled, timed out. */
	{VOL_JOB_ENDED, N, Y, Y, N, Y, N, VOL_EVICT_GONE},
	{VOL_JOB_ENDED, N, Y, Y, Y, Y, Y, VOL_EVICT_GONE},
	{VOL_JOB_ENDED, Y, Y, Y, N, Y, N, VOL_EVICT_GONE},
};

static void each_ask(void **state)
{
	const struct ask_row *row;
	struct vol_slurm_job job;
	size_t i;

	(void)state;
	assert_int_equal(vol_evict_decide(NULL, false, true), VOL_EVICT_GONE);
	for (i = 0; i < N_ELEMENTS(asks); i++) {
		row = &asks[i];
		memset(&job, 0, sizeof(job));
		job.state = row->state;
		job.completing = row->completing;
		job.batch = row->batch;
		job.requeue = row->requeue;
		job.killed = row->killed;
		if (vol_evict_decide(&job, row->here, row->force) != row->want)
			fail_msg("row %zu", i);
	}
}

/* What was said of a run does not end the next one. */
static void said_of_an_earlier_run(void **state)
{
	static const struct {
		enum vol_job_state state;
		time_t start, asked;
		bool want;
	} rows[] = {
		{VOL_JOB_RUNNING, NOW - 100, NOW, false},
		{VOL_JOB_RUNNING, NOW - 100, NOW - 100, false},
		{VOL_JOB_RUNNING, NOW - 100, NOW - 101, true},
		{VOL_JOB_SUSPENDED, NOW, NOW - 1, true},
		{VOL_JOB_FAILED, NOW - 5, NOW - 9, true},
		/* A clock was set back. */
		{VOL_JOB_RUNNING, NOW + 1, NOW - 1, false},
		/* When a pending one starts is a guess. */
		{VOL_JOB_PENDING, NOW, NOW - 1, false},
	};
	struct vol_slurm_job job = {0};

	(void)state;
	assert_false(vol_evict_outdated(NULL, 0, NOW));
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		job.state = rows[i].state;
		job.start = rows[i].start;
		if (vol_evict_outdated(&job, rows[i].asked, NOW) !=
		    rows[i].want)
			fail_msg("row %zu", i);
	}
}

struct revive_row {
	const char *what;
	enum vol_job_state state;
	bool completing;
	uint32_t restarts, priority;
	int age_s; /* since the requeue */
	bool begun;
	enum vol_revive_step want;
	bool begin_now;
	int32_t nice; /* 0 = not changed */
};

/* It had priority 5000, nice 0 and was in its second run (restarts 1). */
static const struct revive_row revivals[] = {
	{"still ending", VOL_JOB_PENDING, Y, 2, 5000, 1, N, VOL_REVIVE_WAIT, N,
	 0},
	{"not yet heard", VOL_JOB_RUNNING, N, 1, 5000, 1, N, VOL_REVIVE_WAIT, N,
	 0},
	{"never heard", VOL_JOB_RUNNING, N, 1, 5000, 61, N, VOL_REVIVE_DROP, N,
	 0},
	{"failed before", VOL_JOB_FAILED, N, 1, 5000, 1, N, VOL_REVIVE_WAIT, N,
	 0},
	{"failed again", VOL_JOB_FAILED, N, 2, 5000, 1, N, VOL_REVIVE_DROP, N,
	 0},
	{"pending", VOL_JOB_PENDING, N, 2, 5000, 1, N, VOL_REVIVE_UPDATE, Y, 0},
	{"pending too soon", VOL_JOB_PENDING, N, 2, 5000, 0, N, VOL_REVIVE_WAIT,
	 N, 0},
	{"pending late", VOL_JOB_PENDING, N, 2, 5000, 900, N, VOL_REVIVE_UPDATE,
	 Y, 0},
	{"lost its age", VOL_JOB_PENDING, N, 2, 4400, 1, N, VOL_REVIVE_UPDATE,
	 Y, -600},
	{"is higher now", VOL_JOB_PENDING, N, 2, 5600, 1, N, VOL_REVIVE_UPDATE,
	 Y, 0},
	{"settled", VOL_JOB_PENDING, N, 2, 5000, 1, Y, VOL_REVIVE_DROP, N, 0},
	{"grew older", VOL_JOB_PENDING, N, 2, 5001, 9, Y, VOL_REVIVE_DROP, N,
	 0},
	{"not settled", VOL_JOB_PENDING, N, 2, 4999, 1, Y, VOL_REVIVE_UPDATE, N,
	 -1},
	{"had nothing but its age", VOL_JOB_PENDING, N, 2, 1, 1, Y,
	 VOL_REVIVE_UPDATE, N, -4999},
	{"0 is no rank", VOL_JOB_PENDING, N, 2, 0, 1, Y, VOL_REVIVE_DROP, N, 0},
	{"runs again", VOL_JOB_RUNNING, N, 2, 5000, 1, N, VOL_REVIVE_DROP, N,
	 0},
	{"ended", VOL_JOB_ENDED, N, 2, 5000, 1, N, VOL_REVIVE_DROP, N, 0},
	{"too old", VOL_JOB_PENDING, N, 2, 5000, 3601, N, VOL_REVIVE_DROP, N,
	 0},
};

static void start(struct vol_revival *r, struct vol_slurm_job *job)
{
	memset(job, 0, sizeof(*job));
	job->id = 17;
	job->state = VOL_JOB_RUNNING;
	job->restarts = 1;
	job->priority = 5000;
	vol_revival_fill(r, job, "desk", true, NOW);
}

static void each_revival(void **state)
{
	const struct revive_row *row;
	struct vol_slurm_job_update u;
	struct vol_slurm_job job;
	struct vol_revival r;
	int32_t nice;
	size_t i;

	(void)state;
	for (i = 0; i < N_ELEMENTS(revivals); i++) {
		row = &revivals[i];
		start(&r, &job);
		assert_string_equal(r.exclude, "desk");
		r.begun = row->begun;
		job.state = row->state;
		job.completing = row->completing;
		job.restarts = row->restarts;
		job.priority = row->priority;
		if (vol_revive_decide(&r, &job, NOW + row->age_s, &u, &nice) !=
		    row->want)
			fail_msg("%s", row->what);
		if (row->want != VOL_REVIVE_UPDATE)
			continue;
		if (u.begin_now != row->begin_now || u.release ||
		    (u.nice ? *u.nice : 0) != row->nice)
			fail_msg("%s: begin %d, nice %d", row->what,
				 u.begin_now, u.nice ? *u.nice : 0);
	}
	assert_int_equal(vol_revive_decide(&r, NULL, NOW, &u, &nice),
			 VOL_REVIVE_DROP);
}

static void nice_has_bounds(void **state)
{
	struct vol_slurm_job_update u;
	struct vol_slurm_job job;
	struct vol_revival r;
	int32_t nice;

	(void)state;
	start(&r, &job);
	job.state = VOL_JOB_PENDING;
	r.priority = UINT32_MAX;
	job.priority = 2;
	job.nice = -100;
	assert_int_equal(vol_revive_decide(&r, &job, NOW + 1, &u, &nice),
			 VOL_REVIVE_UPDATE);
	assert_non_null(u.nice);
	assert_int_equal(*u.nice, VOL_NICE_MIN);
	/* And no more tries than make sense. */
	r.begun = true;
	r.tries = 5;
	assert_int_equal(vol_revive_decide(&r, &job, NOW + 1, &u, &nice),
			 VOL_REVIVE_DROP);
}

/* A person's hold stays; the one that suspending leaves behind does not. */
static void holds(void **state)
{
	struct vol_slurm_job_update u;
	struct vol_slurm_job job;
	struct vol_revival r;
	int32_t nice;

	(void)state;
	start(&r, &job);
	job.state = VOL_JOB_PENDING;
	job.priority = 0;
	job.held = true;
	assert_int_equal(vol_revive_decide(&r, &job, NOW + 1, &u, &nice),
			 VOL_REVIVE_UPDATE);
	assert_false(u.release);
	assert_null(u.nice);

	start(&r, &job);
	job.state = VOL_JOB_SUSPENDED;
	job.priority = 0;
	vol_revival_fill(&r, &job, "desk", false, NOW);
	job.state = VOL_JOB_PENDING;
	job.held = true;
	assert_int_equal(vol_revive_decide(&r, &job, NOW + 1, &u, &nice),
			 VOL_REVIVE_UPDATE);
	assert_true(u.release && u.begin_now);
}

/* Not where it comes from, but somewhere. */
static void it_may_begin(void **state)
{
	struct vol_slurm_job job;
	struct vol_revival r;

	(void)state;
	start(&r, &job);
	assert_string_equal(r.node, "desk");
	assert_true(vol_revive_may_begin(&r, true, NOW)); /* excluded */
	vol_revival_fill(&r, &job, "desk", false, NOW);
	assert_string_equal(r.exclude, "");
	assert_true(vol_revive_may_begin(&r, false, NOW));
	assert_false(vol_revive_may_begin(&r, true, NOW));
	assert_false(
		vol_revive_may_begin(&r, true, NOW + VOL_REVIVE_AJAR_S - 1));
	assert_true(vol_revive_may_begin(&r, true, NOW + VOL_REVIVE_AJAR_S));
	r.begun = true;
	assert_true(vol_revive_may_begin(&r, true, NOW));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_ask),
		cmocka_unit_test(said_of_an_earlier_run),
		cmocka_unit_test(each_revival),
		cmocka_unit_test(nice_has_bounds),
		cmocka_unit_test(holds),
		cmocka_unit_test(it_may_begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
