/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_reports.c - reports of devices, from the link to Slurm, the disk and
 * back
 *
 * The controller role over real sockets, as in test_controller.c.
 */
#include "config.h"

#include "atomicfile.h"
#include "controller.h"

#include "controller_bed.h"

#define JOB 17

static void put_job(uint32_t id, time_t age_s)
{
	struct vol_slurm_job job = {
		.id = id,
		.array_task = VOL_JOB_NO_TASK,
		.state = VOL_JOB_RUNNING,
		.batch = true,
		.requeue = true,
		.priority = 5000,
		.limit_min = 60,
		.start = time(NULL) - age_s,
		.end = time(NULL) + 1800,
		.nodes = (char *)"desk",
	};

	fake_cluster_put_job(&job);
}

static uint32_t restarts(uint32_t id)
{
	struct vol_slurm_job job = {0};
	uint32_t n;

	assert_true(fake_cluster_get_job(id, &job));
	n = job.restarts;
	vol_slurm_job_clear(&job);
	return n;
}

static void say_moved(struct client *c, enum vol_harvest harvest)
{
	struct vol_link_msg m = {.type = VOL_LINK_MOVED, .harvest = harvest};

	report(c, &m);
}

static void say_evict(struct client *c, uint32_t job, uint32_t age_ms)
{
	struct vol_link_msg m = {.type = VOL_LINK_EVICT,
				 .job = job,
				 .age_ms = age_ms,
				 .why = "owner present since 10:31"};

	report(c, &m);
}

/* What it said from number seq on is said again. */
static void back_to(struct client *c, uint64_t seq)
{
	c->seq = seq - 1;
}

static bool has_ack(struct client *c, uint64_t seq)
{
	struct vol_link_msg m;

	while (try_recv(c, &m))
		;
	return c->ack.stream == c->stream && c->ack.report == seq;
}

/* The device of an earlier client again, over a new link. */
static void rejoin(struct bed *bed, struct client *c,
		   const struct client *before, uint64_t acked)
{
	uint64_t seq = before->seq;
	struct vol_link_msg hello;

	fill_hello(bed, &hello, ID_A, "desk");
	hello.stream = before->stream;
	hello.acked = acked;
	join_as(bed, c, &hello, "desk");
	c->seq = seq;
}

static unsigned logged(const struct bed *bed, const char *text)
{
	unsigned n = 0;

	for (const char *s = bed->log; (s = strstr(s, text)); s++)
		n++;
	return n;
}

static char *record_path(const struct bed *bed)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/reports", bed->folder);
	return path;
}

/* As after kill -9 at a moment when the disk held what it holds in record. */
static void crash(struct bed *bed, const char *record, size_t len)
{
	vol_role_controller.stop(bed->role);
	assert_int_equal(vol_file_replace(record_path(bed), record, len, 0600,
					  0, NULL),
			 0);
	bed->role = start_role(bed, false, NULL);
	assert_non_null(bed->role);
}

static void each_is_applied_once_and_acknowledged(void **state)
{
	struct bed *bed = *state;
	struct client c;

	join(bed, &c, ID_A, "desk", "desk");
	run_until(bed, has_ack(&c, 0) && c.agains); /* go ahead */
	say_moved(&c, VOL_HARVEST_PARKED);
	say_moved(&c, VOL_HARVEST_OPEN);
	run_until(bed, has_ack(&c, 2));
	assert_int_equal(c.agains, 1);
	back_to(&c, 1);
	say_moved(&c, VOL_HARVEST_PARKED);
	say_moved(&c, VOL_HARVEST_OPEN);
	say_moved(&c, VOL_HARVEST_PARKED);
	run_until(bed, has_ack(&c, 3));
	assert_int_equal(logged(bed, "desk: report 1 of "), 1);
	assert_int_equal(logged(bed, "desk: report 2 of "), 1);
	assert_contains(bed->log, ": parked\n");
	hang_up(&c);
}

static void what_is_missing_is_asked_for_once(void **state)
{
	struct bed *bed = *state;
	struct client c;

	join(bed, &c, ID_A, "desk", "desk");
	say_moved(&c, VOL_HARVEST_PARKED);
	run_until(bed, has_ack(&c, 1));
	assert_int_equal(c.agains, 1);
	back_to(&c, 3);
	for (int i = 0; i < 3; i++)
		say_moved(&c, VOL_HARVEST_PARKED); /* 3, 4, 5 */
	run_until(bed, has_ack(&c, 1) && c.agains == 2);
	back_to(&c, 2);
	for (int i = 0; i < 4; i++)
		say_moved(&c, VOL_HARVEST_PARKED); /* 2, 3, 4, 5 */
	run_until(bed, has_ack(&c, 5));
	assert_int_equal(c.agains, 2);
	assert_int_equal(logged(bed, "desk: report 3 of "), 1);
	hang_up(&c);
}

/* What slurmctld was not told of is not done with. */
static void an_eviction_waits_for_slurmctld(void **state)
{
	struct bed *bed = *state;
	struct vol_link_msg m;
	struct client c;

	join(bed, &c, ID_A, "desk", "desk");
	put_job(JOB, 100);
	fake_cluster_set_away(true);
	say_moved(&c, VOL_HARVEST_DRAINING);
	say_evict(&c, JOB, 0);
	say_moved(&c, VOL_HARVEST_OPEN);
	run_until(bed, strstr(bed->log, "slurmctld does not answer"));
	run_until(bed, has_ack(&c, 1));
	assert_int_equal(logged(bed, "desk: report 3 of "), 0);
	fake_cluster_set_away(false);
	expect(bed, &c, VOL_LINK_EVICTED, &m);
	assert_int_equal(m.outcome, VOL_OUTCOME_REQUEUED);
	run_until(bed, has_ack(&c, 3));
	assert_contains(bed->log, ": evict job 17\n");
	assert_int_equal(logged(bed, "job 17: run 0 on desk was requeued"), 1);
	hang_up(&c);
}

/* Many jobs leave in one round, not one after the other. */
static void jobs_leave_together(void **state)
{
	struct bed *bed = *state;
	unsigned answers = 0;
	struct vol_link_msg m;
	struct client c;

	join(bed, &c, ID_A, "desk", "desk");
	for (uint32_t i = 0; i < 20; i++)
		put_job(JOB + i, 100);
	for (uint32_t i = 0; i < 20; i++)
		say_evict(&c, JOB + i, 0);
	while (answers < 20) {
		expect(bed, &c, VOL_LINK_EVICTED, &m);
		assert_int_equal(m.job, JOB + answers++);
	}
	run_until(bed, has_ack(&c, 20));
	hang_up(&c);
}

/* Whoever says more than it may before it is heard costs no memory. */
static void a_flood_is_not_kept(void **state)
{
	struct bed *bed = *state;
	struct vol_member *s;
	struct client c;

	join(bed, &c, ID_A, "desk", "desk");
	fake_cluster_set_away(true);
	run_until(bed, strstr(bed->log, "slurmctld does not answer"));
	for (uint32_t i = 0; i < 500; i++)
		say_evict(&c, JOB + i, 0);
	run_until(bed, !has_ack(&c, 1) && c.agains == 2);
	s = vol_controller_member_at_node(bed->role, "desk");
	assert_int_equal(s->intake.n, 32);
	fake_cluster_set_away(false);
	run_until(bed, has_ack(&c, 32));
	back_to(&c, 33);
	say_evict(&c, JOB, 0);
	run_until(bed, has_ack(&c, 33));
	hang_up(&c);
}

static void a_restart_knows_what_was_applied(void **state)
{
	struct bed *bed = *state;
	struct client c, d;

	join(bed, &c, ID_A, "desk", "desk");
	put_job(JOB, 100);
	say_evict(&c, JOB, 0);
	run_until(bed, has_ack(&c, 1));
	say_moved(&c, VOL_HARVEST_PARKED);
	run_until(bed, strstr(bed->log, "desk: report 2 of "));
	/* Its end writes what is not written yet. */
	vol_role_controller.stop(bed->role);
	hang_up(&c);
	bed->role = start_role(bed, false, NULL);
	rejoin(bed, &d, &c, 0);
	run_until(bed, has_ack(&d, 2) && d.agains);
	back_to(&d, 1);
	say_evict(&d, JOB, 0);
	say_moved(&d, VOL_HARVEST_PARKED);
	say_moved(&d, VOL_HARVEST_OPEN);
	run_until(bed, has_ack(&d, 3));
	assert_int_equal(logged(bed, "desk: report 2 of "), 1);
	assert_int_equal(restarts(JOB), 1);
	assert_int_equal(logged(bed, "begins another stream"), 0);
	hang_up(&d);
}

/* The crash between telling slurmctld and writing that down. */
static void an_eviction_that_comes_again_ends_no_other_run(void **state)
{
	struct bed *bed = *state;
	struct vol_slurm_job job = {0};
	struct client c, d;
	char *record;
	size_t len;

	join(bed, &c, ID_A, "desk", "desk");
	put_job(JOB, 100);
	say_moved(&c, VOL_HARVEST_OPEN);
	run_until(bed, has_ack(&c, 1));
	record = vol_file_read(record_path(bed), 1 << 20, &len, NULL);
	assert_non_null(record);
	say_evict(&c, JOB, 0);
	run_until(bed, has_ack(&c, 2));
	assert_int_equal(restarts(JOB), 1);
	crash(bed, record, len);
	hang_up(&c);
	/* Meanwhile it has begun anew on the same device. */
	assert_true(fake_cluster_get_job(JOB, &job));
	job.state = VOL_JOB_RUNNING;
	job.start = time(NULL) - 5;
	fake_cluster_put_job(&job);
	rejoin(bed, &d, &c, 1);
	run_until(bed, has_ack(&d, 1));
	back_to(&d, 2);
	say_evict(&d, JOB, 60000);
	run_until(bed, has_ack(&d, 2));
	assert_int_equal(restarts(JOB), 1);
	assert_contains(bed->log, "said of an earlier run");
	assert_int_equal(logged(bed, "job 17: run 0 on desk was requeued"), 1);
	/* What is said of the run that is there does end it. */
	say_evict(&d, JOB, 1000);
	run_until(bed, has_ack(&d, 3));
	assert_int_equal(restarts(JOB), 2);
	hang_up(&d);
	vol_slurm_job_clear(&job);
	free(record);
}

static void odd_meetings_are_said(void **state)
{
	struct bed *bed = *state;
	struct client c, d = {.stream = 0};
	struct vol_link_msg m = {.type = VOL_LINK_MOVED};

	join(bed, &c, ID_A, "desk", "desk");
	say_moved(&c, VOL_HARVEST_PARKED);
	run_until(bed, has_ack(&c, 1));
	hang_up(&c);
	/* It was told more than we know: somebody has put back an old file. */
	c.seq = 7;
	rejoin(bed, &d, &c, 7);
	run_until(bed, strstr(bed->log, "reports up to 7 of "));
	assert_contains(bed->log, "here is a record of 1");
	say_moved(&d, VOL_HARVEST_OPEN);
	run_until(bed, has_ack(&d, 8));
	/* Of a stream that nobody has heard of. */
	m.stream = d.stream + 1000;
	m.report = 9;
	send_msg(&d, &m);
	run_until(bed,
		  strstr(bed->log, "refused 127.0.0.1: a report of a stream "
				   "that its hello did not name"));
	hang_up(&d);
	join(bed, &c, ID_A, "desk", "desk");
	assert_contains(bed->log, "desk: begins another stream of reports");
	assert_contains(bed->log, "what came after 8 ");
	say_moved(&c, VOL_HARVEST_PARKED);
	run_until(bed, has_ack(&c, 1));
	hang_up(&c);
}

static void a_damaged_record_is_said(void **state)
{
	struct bed *bed = *state;
	char aside[300];
	struct client c;

	join(bed, &c, ID_A, "desk", "desk");
	crash(bed, "VOLINBOX", 8);
	hang_up(&c);
	assert_contains(bed->log, "not a record of reports; moved to ");
	snprintf(aside, sizeof(aside), "%s.damaged", record_path(bed));
	assert_int_equal(access(aside, F_OK), 0);
}

int main(void)
{
#define TEST(_name) cmocka_unit_test_setup_teardown(_name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(each_is_applied_once_and_acknowledged),
		TEST(what_is_missing_is_asked_for_once),
		TEST(an_eviction_waits_for_slurmctld),
		TEST(jobs_leave_together),
		TEST(a_flood_is_not_kept),
		TEST(a_restart_knows_what_was_applied),
		TEST(an_eviction_that_comes_again_ends_no_other_run),
		TEST(odd_meetings_are_said),
		TEST(a_damaged_record_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
