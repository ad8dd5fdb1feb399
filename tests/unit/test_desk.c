/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_desk.c - evictions, revivals and time limits, from the device's message
 * to slurmctld
 *
 * The controller role over real sockets, as in test_controller.c.
 */
#include "config.h"

#include "atomicfile.h"
#include "controller.h"
#include "desk_private.h"

#include "controller_bed.h"

#define JOB 17

/* A running batch job of priority 5000 on nodes. */
static void put_job(uint32_t id, const char *nodes, bool batch)
{
	struct vol_slurm_job job = {
		.id = id,
		.array_task = VOL_JOB_NO_TASK,
		.state = VOL_JOB_RUNNING,
		.batch = batch,
		.requeue = batch,
		.priority = 5000,
		.limit_min = 60,
		.start = time(NULL) - 1800,
		.end = time(NULL) + 1800,
		.nodes = (char *)nodes,
	};

	fake_cluster_put_job(&job);
}

static void say_evict(struct client *c, uint32_t job, bool exclude, bool force)
{
	struct vol_link_msg m = {.type = VOL_LINK_EVICT,
				 .job = job,
				 .exclude = exclude,
				 .force = force,
				 .why = "owner present since 10:31"};

	report(c, &m);
}

static void say_parked(struct client *c, uint32_t job, uint32_t seconds)
{
	struct vol_link_msg m = {
		.type = VOL_LINK_PARKED, .job = job, .seconds = seconds};

	send_msg(c, &m);
}

static void say_harvest(struct client *c, enum vol_harvest harvest)
{
	struct vol_link_msg m = {.type = VOL_LINK_HARVEST, .harvest = harvest};

	send_msg(c, &m);
}

static void expect_outcome(struct bed *bed, struct client *c, uint32_t job,
			   enum vol_outcome outcome)
{
	struct vol_link_msg m;

	expect(bed, c, VOL_LINK_EVICTED, &m);
	assert_int_equal(m.job, job);
	if (m.outcome != outcome)
		fail_msg("%s (%s)", vol_outcome_name(m.outcome), m.reason);
}

static bool may_begin(uint32_t id)
{
	struct vol_slurm_job job = {0};
	bool found = fake_cluster_get_job(id, &job);
	bool may = found && job.state == VOL_JOB_PENDING && !job.completing &&
		   job.start <= time(NULL);

	vol_slurm_job_clear(&job);
	return may;
}

static uint32_t limit_of(uint32_t id)
{
	struct vol_slurm_job job = {0};
	uint32_t limit;

	assert_true(fake_cluster_get_job(id, &job));
	limit = job.limit_min;
	vol_slurm_job_clear(&job);
	return limit;
}

static void assert_whole_again(uint32_t id, const char *excluded)
{
	struct vol_slurm_job job = {0};

	assert_true(fake_cluster_get_job(id, &job));
	assert_int_equal(job.priority, 5000);
	assert_int_equal(job.nice, -FAKE_AGE);
	assert_int_equal(job.restarts, 1);
	assert_string_equal(job.excluded, excluded);
	vol_slurm_job_clear(&job);
}

/* Of jobs by the owner of the node's device. */
static uint32_t evictions(struct bed *bed, const char *node)
{
	struct vol_member *s = vol_controller_member_at_node(bed->role, node);

	assert_non_null(s);
	return s->forecast->evictions.total;
}

static void a_job_starts_elsewhere(void **state)
{
	struct bed *bed = *state;
	struct client c;

	join(bed, &c, ID_A, "desk", "desk");
	put_job(JOB, "desk", true);
	say_evict(&c, JOB, false, false);
	/* The answer does not wait for the end of what it allows to end. */
	expect_outcome(bed, &c, JOB, VOL_OUTCOME_REQUEUED);
	assert_false(may_begin(JOB));
	/* Asked again meanwhile, after the answer got lost. */
	say_evict(&c, JOB, false, false);
	expect_outcome(bed, &c, JOB, VOL_OUTCOME_REQUEUED);
	fake_cluster_job_left(JOB);
	run_until(bed, may_begin(JOB));
	assert_whole_again(JOB, "");
	say_evict(&c, JOB, false, false);
	expect_outcome(bed, &c, JOB, VOL_OUTCOME_GONE);
	assert_int_equal(evictions(bed, "desk"), 1);
	hang_up(&c);
}

static void never_here_again(void **state)
{
	struct bed *bed = *state;
	struct client c;

	join(bed, &c, ID_A, "desk", "desk");
	put_job(JOB, "desk,other", true);
	say_evict(&c, JOB, true, false);
	expect_outcome(bed, &c, JOB, VOL_OUTCOME_REQUEUED);
	fake_cluster_job_left(JOB);
	run_until(bed, may_begin(JOB));
	assert_whole_again(JOB, "desk");
	/* Not because the owner came. */
	assert_int_equal(evictions(bed, "desk"), 0);
	hang_up(&c);
}

/* The desk follows a requeued job; a read that began before the job started
 * here again must not answer for it: the device would kill what runs. */
static void an_old_read_answers_no_new_question(void **state)
{
	struct bed *bed = *state;
	struct vol_slurm_job job = {0};
	unsigned begun;
	struct client c;

	join(bed, &c, ID_A, "desk", "desk");
	put_job(JOB, "desk", true);
	say_evict(&c, JOB, false, false);
	expect_outcome(bed, &c, JOB, VOL_OUTCOME_REQUEUED);
	fake_cluster_set_slow(100);
	begun = fake_cluster_answers();
	run_until(bed, fake_cluster_answers() != begun);
	put_job(JOB, "desk", true);
	say_evict(&c, JOB, false, false);
	expect_outcome(bed, &c, JOB, VOL_OUTCOME_REQUEUED);
	assert_true(fake_cluster_get_job(JOB, &job));
	assert_int_equal(job.state, VOL_JOB_PENDING);
	vol_slurm_job_clear(&job);
	hang_up(&c);
}

/* The first is followed until it may begin, beside the questions of others. */
static void jobs_leave_one_after_the_other(void **state)
{
	struct bed *bed = *state;
	struct client c;

	join(bed, &c, ID_A, "desk", "desk");
	for (uint32_t i = 0; i < 3; i++)
		put_job(JOB + i, "desk", true);
	for (uint32_t i = 0; i < 3; i++) {
		say_evict(&c, JOB + i, false, false);
		expect_outcome(bed, &c, JOB + i, VOL_OUTCOME_REQUEUED);
	}
	for (uint32_t i = 0; i < 3; i++)
		fake_cluster_job_left(JOB + i);
	for (uint32_t i = 0; i < 3; i++)
		run_until(bed, may_begin(JOB + i));
	hang_up(&c);
}

/* What leaves for its owner must not start there again. */
static void the_device_is_drained_first(void **state)
{
	struct bed *bed = *state;
	struct vol_slurm_node n;
	struct client c;

	join(bed, &c, ID_A, "desk", "desk");
	put_job(JOB, "desk", true);
	say_harvest(&c, VOL_HARVEST_DRAINING);
	run_until(bed, fake_cluster_get("desk", &n) && n.drained);
	say_harvest(&c, VOL_HARVEST_OPEN);
	run_until(bed, fake_cluster_get("desk", &n) && !n.drained);
	/* Drains wait for each other for up to a second, requeues do not. */
	say_harvest(&c, VOL_HARVEST_DRAINING);
	say_evict(&c, JOB, false, false);
	expect_outcome(bed, &c, JOB, VOL_OUTCOME_REQUEUED);
	assert_int_equal(fake_cluster_hasty_requeues(), 0);
	assert_true(fake_cluster_get("desk", &n));
	assert_string_equal(n.reason, VOL_REASON_PREFIX "draining");
	fake_cluster_job_left(JOB);
	run_until(bed, may_begin(JOB));
	say_harvest(&c, VOL_HARVEST_OPEN);
	run_until(bed, fake_cluster_get("desk", &n) && !n.drained);
	/* An administrator's drain is one, and stays theirs. */
	n.drained = true;
	strcpy(n.reason, "new disk");
	fake_cluster_put(&n);
	put_job(JOB + 1, "desk", true);
	say_harvest(&c, VOL_HARVEST_DRAINING);
	say_evict(&c, JOB + 1, false, false);
	expect_outcome(bed, &c, JOB + 1, VOL_OUTCOME_REQUEUED);
	fake_cluster_job_left(JOB + 1);
	run_until(bed, may_begin(JOB + 1));
	assert_true(fake_cluster_get("desk", &n));
	assert_string_equal(n.reason, "new disk");
	hang_up(&c);
}

/* A node that can not be drained keeps nobody for ever. */
static void a_drain_that_fails_is_waited_for(void **state)
{
	struct bed *bed = *state;
	struct client c;
	time_t begin;

	join(bed, &c, ID_A, "desk", "desk");
	put_job(JOB, "desk", true);
	fake_cluster_refuse_drains(true);
	begin = time(NULL);
	say_harvest(&c, VOL_HARVEST_DRAINING);
	say_evict(&c, JOB, false, false);
	expect_outcome(bed, &c, JOB, VOL_OUTCOME_REQUEUED);
	assert_int_equal(fake_cluster_hasty_requeues(), 1);
	fake_cluster_job_left(JOB);
	run_until(bed, may_begin(JOB));
	assert_true(time(NULL) - begin >= VOL_REVIVE_AJAR_S - 1);
	hang_up(&c);
}

/* A device that hears "no" lets it go on, and its image is dropped. */
static void trouble_is_no_refusal(void **state)
{
	struct bed *bed = *state;
	struct client c;

	join(bed, &c, ID_A, "desk", "desk");
	put_job(JOB, "desk", true);
	fake_cluster_trouble(1);
	say_evict(&c, JOB, false, false);
	expect_outcome(bed, &c, JOB, VOL_OUTCOME_REQUEUED);
	hang_up(&c);
}

static void others_jobs_are_not_touched(void **state)
{
	struct bed *bed = *state;
	struct vol_slurm_job job = {0};
	struct client c;

	join(bed, &c, ID_A, "desk", "desk");
	put_job(JOB, "desk-2", true);
	say_evict(&c, JOB, true, true);
	expect_outcome(bed, &c, JOB, VOL_OUTCOME_GONE);
	say_evict(&c, JOB + 1, false, true);
	expect_outcome(bed, &c, JOB + 1, VOL_OUTCOME_GONE);
	assert_true(fake_cluster_get_job(JOB, &job));
	assert_int_equal(job.state, VOL_JOB_RUNNING);
	vol_slurm_job_clear(&job);
	hang_up(&c);
}

static void interactive_jobs_stay_or_are_told(void **state)
{
	struct bed *bed = *state;
	struct vol_slurm_job job = {0};
	struct vol_link_msg m;
	struct client c;

	join(bed, &c, ID_A, "desk", "desk");
	put_job(JOB, "desk", false);
	say_evict(&c, JOB, false, false);
	expect(bed, &c, VOL_LINK_EVICTED, &m);
	assert_int_equal(m.outcome, VOL_OUTCOME_REFUSED);
	assert_contains(m.reason, "can not be requeued");
	say_evict(&c, JOB, false, true);
	expect_outcome(bed, &c, JOB, VOL_OUTCOME_CANCELLED);
	assert_true(fake_cluster_get_job(JOB, &job));
	assert_int_equal(job.state, VOL_JOB_ENDED);
	vol_slurm_job_clear(&job);
	assert_contains(fake_cluster_notice(), "17: ");
	assert_contains(fake_cluster_notice(), "owner present since 10:31");
	hang_up(&c);
}

static void a_job_that_the_fence_killed(void **state)
{
	struct bed *bed = *state;
	struct vol_slurm_job job = {0};
	struct client c;

	join(bed, &c, ID_A, "desk", "desk");
	put_job(JOB, "desk", true);
	assert_true(fake_cluster_get_job(JOB, &job));
	job.state = VOL_JOB_FAILED;
	job.killed = true;
	fake_cluster_put_job(&job);
	vol_slurm_job_clear(&job);
	say_evict(&c, JOB, false, false);
	expect_outcome(bed, &c, JOB, VOL_OUTCOME_REQUEUED);
	run_until(bed, may_begin(JOB));
	assert_whole_again(JOB, "");
	hang_up(&c);
}

static void a_parked_job_is_asked_about(void **state)
{
	struct vol_link_msg check = {.type = VOL_LINK_CHECK, .job = JOB};
	struct bed *bed = *state;
	struct vol_slurm_job job = {0};
	struct client c;

	join(bed, &c, ID_A, "desk", "desk");
	put_job(JOB, "desk", true);
	/* It runs: no answer, and above all no requeue. */
	send_msg(&c, &check);
	say_evict(&c, JOB + 1, false, false);
	expect_outcome(bed, &c, JOB + 1, VOL_OUTCOME_GONE);
	assert_true(fake_cluster_get_job(JOB, &job));
	assert_int_equal(job.state, VOL_JOB_RUNNING);
	job.state = VOL_JOB_ENDED;
	job.completing = true;
	fake_cluster_put_job(&job);
	vol_slurm_job_clear(&job);
	send_msg(&c, &check);
	expect_outcome(bed, &c, JOB, VOL_OUTCOME_GONE);
	hang_up(&c);
}

/* Nothing is answered while slurmctld is away, and nothing is lost. */
static void wishes_wait_for_slurmctld(void **state)
{
	struct bed *bed = *state;
	struct client c;

	join(bed, &c, ID_A, "desk", "desk");
	put_job(JOB, "desk", true);
	fake_cluster_set_away(true);
	say_evict(&c, JOB, false, false);
	run_until(bed, strstr(bed->log, "slurmctld does not answer"));
	say_evict(&c, JOB, false, false);
	fake_cluster_set_away(false);
	expect_outcome(bed, &c, JOB, VOL_OUTCOME_REQUEUED);
	fake_cluster_job_left(JOB);
	run_until(bed, may_begin(JOB));
	hang_up(&c);
}

/* The daemon ends between the requeue and what must follow it. */
static void a_restart_forgets_no_job(void **state)
{
	struct bed *bed = *state;
	struct client c;

	join(bed, &c, ID_A, "desk", "desk");
	put_job(JOB, "desk", true);
	say_evict(&c, JOB, true, false);
	expect_outcome(bed, &c, JOB, VOL_OUTCOME_REQUEUED);
	vol_role_controller.stop(bed->role);
	hang_up(&c);
	fake_cluster_job_left(JOB);
	bed->role = start_role(bed, false, NULL);
	assert_non_null(bed->role);
	run_until(bed, may_begin(JOB));
	assert_whole_again(JOB, "desk");
}

/* So that a crash leaves the file that the restart above needs. */
static void it_is_written_before_it_is_done(void **state)
{
	struct bed *bed = *state;
	struct vol_desk_memory m = {0};
	struct vol_error err;
	struct client c;

	join(bed, &c, ID_A, "desk", "desk");
	put_job(JOB, "desk", true);
	say_evict(&c, JOB, true, false);
	expect_outcome(bed, &c, JOB, VOL_OUTCOME_REQUEUED);
	assert_int_equal(vol_desk_load(bed->folder, &m, &err), 0);
	assert_int_equal(m.n_revivals, 1);
	assert_int_equal(m.revivals[0].job, JOB);
	assert_int_equal(m.revivals[0].priority, 5000);
	assert_string_equal(m.revivals[0].node, "desk");
	assert_string_equal(m.revivals[0].exclude, "desk");
	vol_desk_memory_clear(&m);
	fake_cluster_job_left(JOB);
	run_until(bed, may_begin(JOB));
	hang_up(&c);
}

static void jobs_of_a_lost_device_do_not_wait(void **state)
{
	struct bed *bed = *state;
	struct vol_slurm_node n;
	struct client c;

	join(bed, &c, ID_A, "desk", "desk");
	put_job(JOB, "desk", true);
	put_job(JOB + 1, "other", true);
	run_until(bed, fake_cluster_get("desk", &n) && *n.comment);
	n.allocated = true;
	fake_cluster_put(&n);
	hang_up(&c);
	run_until(bed, may_begin(JOB));
	assert_whole_again(JOB, "");
	assert_false(may_begin(JOB + 1));
	assert_int_equal(evictions(bed, "desk"), 1);
}

static void parked_time_is_given_back(void **state)
{
	struct bed *bed = *state;
	struct client c;

	join(bed, &c, ID_A, "desk", "desk");
	put_job(JOB, "desk", true);
	say_harvest(&c, VOL_HARVEST_PARKED);
	say_parked(&c, JOB, 300);
	say_parked(&c, JOB, 610);
	say_harvest(&c, VOL_HARVEST_OPEN);
	run_until(bed, limit_of(JOB) == 71);
	/* The same seconds, over a restart too, are the same seconds. */
	say_parked(&c, JOB, 610);
	say_parked(&c, JOB, 660);
	vol_role_controller.stop(bed->role);
	hang_up(&c);
	bed->role = start_role(bed, false, NULL);
	join(bed, &c, ID_A, "desk", "desk");
	say_parked(&c, JOB, 660);
	say_parked(&c, JOB, 720);
	run_until(bed, limit_of(JOB) == 72);
	hang_up(&c);
}

static void a_parked_job_does_not_time_out(void **state)
{
	struct bed *bed = *state;
	struct vol_slurm_job job = {0};
	struct client c;

	join(bed, &c, ID_A, "desk", "desk");
	put_job(JOB, "desk", true);
	put_job(JOB + 1, "desk-2", true);
	assert_true(fake_cluster_get_job(JOB, &job));
	job.end = time(NULL) + 60;
	fake_cluster_put_job(&job);
	vol_slurm_job_clear(&job);
	say_harvest(&c, VOL_HARVEST_PARKED);
	say_parked(&c, JOB, 30);
	/* Not a job of this device: it may say what it likes. */
	say_parked(&c, JOB + 1, 600);
	run_until(bed, limit_of(JOB) == 62);
	say_harvest(&c, VOL_HARVEST_OPEN);
	say_parked(&c, JOB, 120);
	say_parked(&c, JOB + 1, 700);
	say_parked(&c, JOB, 121);
	run_until(bed, limit_of(JOB) == 63);
	assert_int_equal(limit_of(JOB + 1), 60);
	hang_up(&c);
}

static const char *const bad_files[] = {
	"",
	"{",
	"[]",
	"{\"version\": 2, \"requeued\": [], \"granted\": []}",
	"{\"version\": 1, \"requeued\": []}",
	"{\"version\": 1, \"requeued\": {}, \"granted\": []}",
	"{\"version\": 1, \"requeued\": [1], \"granted\": []}",
	"{\"version\": 1, \"requeued\": [], \"granted\": [{\"job\": 1}]}",
	"{\"version\": 1, \"requeued\": [], \"granted\": [{\"job\": 1, "
	"\"node\": \"a;b\", \"restarts\": 0, \"granted_min\": 1}]}",
};

/* Nobody can make us remember without end. */
static void jobs_without_number(void **state)
{
	struct bed *bed = *state;
	struct vol_desk *d = ((struct vol_controller *)bed->role)->desk;
	struct client c;

	join(bed, &c, ID_A, "desk", "desk");
	/* What Slurm did not know when it was read is soon forgotten. */
	for (uint32_t i = 0; i < VOL_DESK_JOBS; i++)
		put_job(1000 + i, "desk", true);
	for (uint32_t i = 0; i < VOL_DESK_JOBS; i++) {
		say_parked(&c, 1000 + i, 5);
		run_until(bed, d->memory.n_grants == i + 1);
	}
	say_parked(&c, 1, 5);
	run_until(bed, strstr(bed->log, "refused 127.0.0.1: it speaks of more "
					"jobs than a machine can run"));
	assert_int_equal(d->memory.n_grants, VOL_DESK_JOBS);
	hang_up(&c);
}

/* Of a release that did not remember where a job came from. */
static void an_older_file_is_read(void **state)
{
	static const char text[] =
		"{\"version\": 1, \"granted\": [], \"requeued\": [{\"job\": "
		"17, \"restarts\": 0, \"priority\": 1, \"release\": false, "
		"\"exclude\": \"\", \"since\": 1}]}";
	struct bed *bed = *state;
	struct vol_desk_memory m = {0};
	struct vol_error err = {""};
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/jobs.json", bed->folder);
	assert_int_equal(
		vol_file_replace(path, text, strlen(text), 0644, 0, &err), 0);
	if (vol_desk_load(bed->folder, &m, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(m.n_revivals, 1);
	assert_string_equal(m.revivals[0].node, "");
	vol_desk_memory_clear(&m);
}

static void a_damaged_file_is_said(void **state)
{
	struct bed *bed = *state;
	struct vol_desk_memory m = {0};
	struct vol_error err;
	char path[PATH_MAX];
	size_t i;

	snprintf(path, sizeof(path), "%s/jobs.json", bed->folder);
	for (i = 0; i < N_ELEMENTS(bad_files); i++) {
		assert_int_equal(vol_file_replace(path, bad_files[i],
						  strlen(bad_files[i]), 0644, 0,
						  &err),
				 0);
		assert_int_equal(vol_desk_load(bed->folder, &m, &err), -1);
		assert_contains(err.text, "jobs.json");
		assert_printable(err.text);
	}
	assert_null(m.revivals);
	assert_null(m.grants);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_job_starts_elsewhere),
		TEST(never_here_again),
		TEST(jobs_leave_one_after_the_other),
		TEST(the_device_is_drained_first),
		TEST(a_drain_that_fails_is_waited_for),
		TEST(trouble_is_no_refusal),
		TEST(others_jobs_are_not_touched),
		TEST(an_old_read_answers_no_new_question),
		TEST(interactive_jobs_stay_or_are_told),
		TEST(a_job_that_the_fence_killed),
		TEST(a_parked_job_is_asked_about),
		TEST(wishes_wait_for_slurmctld),
		TEST(a_restart_forgets_no_job),
		TEST(it_is_written_before_it_is_done),
		TEST(jobs_of_a_lost_device_do_not_wait),
		TEST(parked_time_is_given_back),
		TEST(a_parked_job_does_not_time_out),
		TEST(jobs_without_number),
		TEST(an_older_file_is_read),
		TEST(a_damaged_file_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
