/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_select_job_test.c - what the select plugin does with devices
 *
 * n0 is a node like any other, n1 ... n5 are devices.
 */
#include "fake_slurmctld.h"
#include "placement.h"
#include "table_bed.h"

#include <time.h>

#define RUN  (SELECT_MODE_RUN_NOW | 0x100)
#define WILL (SELECT_MODE_WILL_RUN | 0x100)
#define TEST (SELECT_MODE_TEST_ONLY | 0x100)
#define BUSY ESLURM_NODES_BUSY

/* Slurm had several names for it. */
typedef __typeof__(*((job_record_t *)NULL)->details) details_t;

/* Owners who stay away longer the higher the number; n5's is there. */
static void start_table(void)
{
	table_start();
	table_put("n1", VOL_NODETABLE_OPEN, 10);
	table_put("n2", VOL_NODETABLE_OPEN, 25);
	table_put("n3", VOL_NODETABLE_OPEN, 120);
	table_put("n4", VOL_NODETABLE_OPEN, 600);
	table_put("n5", VOL_NODETABLE_PARKED, 600);
}

/* A start reads sched_weight, a plan weight (from Slurm 23.11 on); what Slurm
 * keeps there besides stays. */
static uint32_t level_of(unsigned int call, int node)
{
	uint32_t weight = seen[call].weight[node];
	uint64_t sched_weight = seen[call].sched_weight[node];

	if ((fake_base.mode & SELECT_MODE_BASE) == SELECT_MODE_RUN_NOW ||
	    !VOL_PLANS_BY_WEIGHT) {
		assert_int_equal(weight, WEIGHT);
		assert_int_equal(sched_weight & ~UINT64_C(0xffffffff00),
				 SCHED_WEIGHT & ~UINT64_C(0xffffffff00));
		weight = (uint32_t)(sched_weight >> 8);
	} else {
		assert_int_equal(sched_weight, SCHED_WEIGHT);
	}
	assert_int_equal(weight >> 4, WEIGHT);
	return weight & 15;
}

static void owners_who_are_there_get_no_job(void)
{
	static const enum vol_nodetable_state states[] = {
		VOL_NODETABLE_PARKED, VOL_NODETABLE_DRAINING,
		VOL_NODETABLE_CLOSED, VOL_NODETABLE_UNKNOWN};

	start_table();
	for (size_t i = 0; i < N_ELEMENTS(states); i++) {
		table_put("n3", states[i], 60);
		ctld_call(RUN, 0);
		ctld_expect(1, 0x17);
		ctld_call(WILL, 0);
		ctld_expect(1, 0x17);
		/* Could it ever run? */
		ctld_call(TEST, 0);
		ctld_expect(1, 0x3f);
		ctld_expect_untouched();
	}
	table_put("n3", VOL_NODETABLE_OPEN, 60);
	ctld_call(RUN, 0);
	ctld_expect(1, 0x1f);
}

static void those_who_stay_away_come_first(void)
{
	start_table();
	ctld_call(RUN, 0);
	assert_true(level_of(0, 1) > level_of(0, 2));
	assert_true(level_of(0, 2) > level_of(0, 3));
	/* It is taken to run for 36 minutes, and nobody comes before. */
	assert_int_equal(level_of(0, 3), 0);
	assert_int_equal(level_of(0, 4), 0);
	assert_int_equal(level_of(0, 0), 0);
	assert_int_equal(seen[0].weight[5], WEIGHT);
	ctld_call(WILL, 0x3);
	assert_true(level_of(0, 2) > level_of(0, 4));
	assert_int_equal(seen[0].weight[0], WEIGHT);
	/* Weights of 2^28 and more become equal; the level still counts. */
	for (int i = 0; i < N_NODES; i++)
		ctld.records[i].weight = UINT32_MAX;
	ctld_try(WILL, 0);
	assert_int_equal(seen[0].weight[4], UINT32_MAX - 15);
	assert_true(seen[0].weight[1] > seen[0].weight[4]);
	for (int i = 0; i < N_NODES; i++) {
		assert_int_equal(ctld.records[i].weight, UINT32_MAX);
		ctld.records[i].weight = WEIGHT;
	}

	/* A job so short that all are alike is as without us. */
	ctld.job.time_limit = 1;
	ctld_call(RUN, 0);
	ctld_expect(1, 0x1f);
	ctld_expect_untouched();
}

static void time_limits_come_from_the_partition(void)
{
	start_table();
	ctld.job.time_limit = NO_VAL;
	ctld.part.default_time = 1;
	ctld.part.max_time = 60;
	ctld_call(RUN, 0);
	ctld_expect_untouched();
	ctld.part.default_time = NO_VAL;
	ctld_call(RUN, 0);
	assert_true(level_of(0, 1) > level_of(0, 3));
	ctld.part.max_time = INFINITE;
	ctld_call(RUN, 0);
	assert_true(level_of(0, 3) > level_of(0, 4));
	ctld.job.part_ptr = NULL;
	ctld_call(RUN, 0);
	assert_true(level_of(0, 3) > level_of(0, 4));
	ctld.job.time_limit = INFINITE;
	ctld_call(RUN, 0);
	assert_true(level_of(0, 3) > level_of(0, 4));
}

/* A job that saves its state every minute loses little anywhere. */
static void checkpoints_level_the_field(void)
{
	char *env[] = {(char *)"OTHER=1", (char *)"VOLUNTEER_CHECKPOINT=60",
		       NULL};
	uint32_t before;

	start_table();
	ctld_call(RUN, 0);
	before = level_of(0, 2);
	ctld.job.spank_job_env = env;
	ctld.job.spank_job_env_size = 2;
	ctld_call(RUN, 0);
	assert_true(level_of(0, 2) < before);
	env[1] = (char *)"VOLUNTEER_CHECKPOINT=soon";
	ctld_call(RUN, 0);
	assert_int_equal(level_of(0, 2), before);
}

static void other_partitions_are_not_touched(void)
{
	start_table();
	table_remove("n1");
	ctld_call(RUN, 0x3c);
	ctld_expect(1, 0x3);
	ctld_expect_untouched();
	answers[0].rc = BUSY;
	ctld_call(WILL, 0x3c);
	ctld_expect(1, 0x3);
	ctld_expect_untouched();
}

/* All of what came is there for whoever counts why it failed. */
static void failed_starts_leave_the_candidates(void)
{
	start_table();
	answers[0].rc = BUSY;
	ctld_call(RUN, 0x1);
	ctld_expect(1, 0x1e);
	assert_int_equal(ctld_nodes(), 0x3e);
	/* Nothing taken away: it is as the original left it. */
	ctld_call(RUN, 0x20);
	assert_int_equal(ctld_nodes(), 0);
	/* Only one that was required, and its owner is there. */
	ctld_call(RUN, 0x1f);
	ctld_expect(1, 0);
	assert_int_equal(ctld_nodes(), 0x20);
}

static void plans_without_them_are_as_they_are(void)
{
	time_t start = time(NULL) + 7;

	start_table();
	answers[0] = (struct answer){SLURM_SUCCESS, 0x4, start};
	ctld_call(WILL, 0);
	assert_int_equal(ctld_nodes(), 0x4);
	assert_int_equal(ctld.job.start_time, start);
}

static void plans_with_them_are_for_later(void)
{
	time_t now = time(NULL);

	start_table();
	answers[0].rc = BUSY;
	answers[1] = (struct answer){SLURM_SUCCESS, 0x20, now};
	ctld_call(WILL, 0x1);
	ctld_expect(2, 0x3e);
	assert_int_equal(ctld_nodes(), 0x20);
	assert_in_range(ctld.job.start_time, now + 300, time(NULL) + 300);
	/* Those that are open come first all the same. */
	assert_int_equal(level_of(1, 5), 15);
	assert_true(level_of(1, 1) < 15);

	answers[1].start = now + 1000;
	ctld_call(WILL, 0x1);
	assert_int_equal(ctld.job.start_time, now + 1000);

	answers[1] = (struct answer){.rc = BUSY};
	ctld.job.start_time = 77;
	ctld_call(WILL, 0x1);
	ctld_expect(2, 0x3e);
	assert_int_equal(ctld.job.start_time, 77);
}

/* A batch job of an hour, which is taken to run for 36 minutes; with 30 % at
 * most, n1 (10 minutes for sure, never 20) is too risky for it. */
static void start_risky_table(details_t *details)
{
	table_max_risk = VOL_SCORE_MAX_RISK;
	start_table();
	table_put("n2", VOL_NODETABLE_OPEN, 45);
	*details = (details_t){
		.magic = DETAILS_MAGIC,
		.submit_time = time(NULL) - 7200,
		.begin_time = time(NULL),
	};
	ctld.job.details = details;
	ctld.job.batch_flag = 1;
}

static void jobs_wait_when_they_would_be_lost(void)
{
	details_t details;

	start_risky_table(&details);
	ctld_call(RUN, 0);
	ctld_expect(1, 0x1d);
	/* There is nothing else: it does not begin, and nothing is lost. */
	answers[0].rc = BUSY;
	ctld_call(RUN, 0x3d);
	ctld_expect(1, 0);
	assert_int_equal(ctld_nodes(), 0x2);
	/* After so long any will do; what it waited before an eviction does not
	 * count. */
	details.begin_time = time(NULL) - VOL_SCORE_PATIENCE * 36 * 60;
	answers[0].rc = SLURM_SUCCESS;
	ctld_call(RUN, 0);
	ctld_expect(1, 0x1f);
	details.begin_time = 0;
	details.submit_time = time(NULL);
	ctld_call(RUN, 0);
	ctld_expect(1, 0x1d);
	/* Could it ever run? */
	ctld_call(TEST, 0);
	ctld_expect(1, 0x3f);
}

static void some_jobs_never_wait(void)
{
	details_t details;

	start_risky_table(&details);
	ctld.job.batch_flag = 0;
	ctld_call(RUN, 0);
	ctld_expect(1, 0x1f);
	ctld.job.batch_flag = 1;
	details.req_nodes = (char *)"n1";
	ctld_call(RUN, 0);
	ctld_expect(1, 0x1f);
	details.req_nodes = NULL;
	ctld.job.time_limit = NO_VAL;
	ctld_call(RUN, 0);
	ctld_expect(1, 0x1f);
	ctld.job.time_limit = INFINITE;
	ctld_call(RUN, 0);
	ctld_expect(1, 0x1f);
	ctld.job.time_limit = 60;
	ctld.job.resv_name = (char *)"R";
	ctld_call(RUN, 0);
	ctld_expect(1, 0x1f);
	ctld.job.resv_name = NULL;
	ctld.job.deadline = time(NULL) + 7200;
	ctld_call(RUN, 0);
	ctld_expect(1, 0x1f);
	ctld.job.deadline = 0;
	ctld.preempts = true;
	ctld_call(RUN, 0);
	ctld_expect(1, 0x1f);
	ctld.preempts = false;
	details.magic = 0;
	ctld_call(RUN, 0);
	ctld_expect(1, 0x1f);
	details.magic = DETAILS_MAGIC;
	ctld_call(RUN, 0);
	ctld_expect(1, 0x1d);
}

/* The plan says when it will begin, if owners stay as they are. */
static void waiting_is_planned(void)
{
	details_t details;
	time_t now = time(NULL);

	start_risky_table(&details);
	answers[0].rc = BUSY;
	answers[1] = (struct answer){SLURM_SUCCESS, 0x2, now};
	ctld_call(WILL, 0x3d);
	ctld_expect(2, 0x2);
	assert_in_range(ctld.job.start_time,
			now + VOL_SCORE_PATIENCE * 36 * 60 - 1,
			time(NULL) + VOL_SCORE_PATIENCE * 36 * 60);
	/* n5's owner may leave sooner, and comes first; but a plan with n1 is
	 * for when n1 will do. */
	ctld_call(WILL, 0x1d);
	ctld_expect(2, 0x22);
	assert_int_equal(level_of(1, 5), 0);
	assert_int_equal(level_of(1, 1), 15);
	assert_in_range(ctld.job.start_time,
			now + VOL_SCORE_PATIENCE * 36 * 60 - 1,
			time(NULL) + VOL_SCORE_PATIENCE * 36 * 60);
	answers[1].nodes = 0x20;
	ctld_call(WILL, 0x1d);
	assert_in_range(ctld.job.start_time, now + 300, time(NULL) + 300);
	answers[1].nodes = 0x2;
	/* It will begin in a moment. */
	details.begin_time = now - VOL_SCORE_PATIENCE * 36 * 60 + 10;
	ctld_call(WILL, 0x3d);
	assert_in_range(ctld.job.start_time, now + 60, time(NULL) + 60);
}

static void now_or_never_is_never(void)
{
	start_table();
	ctld.job.bit_flags |= TEST_NOW_ONLY;
	answers[0].rc = BUSY;
	ctld_call(WILL, 0);
	ctld_expect(1, 0x1f);
	assert_int_equal(ctld_nodes(), 0x3f);
}

static void later_parts_are_asked_about(void)
{
	start_table();
	ctld.plan_end = time(NULL) + 3600;
	answers[0].rc = BUSY;
	ctld_call(WILL, 0);
	if (VOL_PLANS_IN_PARTS) {
		ctld_expect(1, 0x1f);
		assert_int_equal(ctld_nodes(), 0x3f);
	} else {
		ctld_expect(2, 0x3f);
	}
	/* Without n5 there is none. */
	ctld_call(WILL, 0x1f);
	ctld_expect(2, 0x20);
	/* The last part. */
	ctld.plan_end = 0;
	ctld_call(WILL, 0);
	ctld_expect(2, 0x3f);
}

/* n3 and n5 are like the machine that the job was saved on; n5's owner is
 * there. */
static void start_saved(void)
{
	start_table();
	table_machine = 2;
	table_put("n3", VOL_NODETABLE_OPEN, 120);
	table_put("n5", VOL_NODETABLE_PARKED, 600);
	table_machine = 1;
	table_put("n2", VOL_NODETABLE_OPEN, 25);
	table_images(JOB_ID, 2);
}

static void saved_jobs_go_where_they_can(void)
{
	start_saved();
	ctld_call(RUN, 0);
	ctld_expect(1, 0x9);
	ctld_call(WILL, 0);
	ctld_expect(1, 0x9);
	/* Could it ever run?  It could begin anew. */
	ctld_call(TEST, 0);
	ctld_expect(1, 0x3f);
	/* Another job. */
	table_images(JOB_ID + 1, 2);
	ctld_call(RUN, 0);
	ctld_expect(1, 0x1f);
	/* One that nobody can go on with is not in the table. */
	table_images(JOB_ID, 2);
	ctld_call(RUN, 0);
	ctld_expect(1, 0x9);
	table_images(JOB_ID, 0);
	ctld_call(RUN, 0);
	ctld_expect(1, 0x1f);
}

static void saved_jobs_wait_for_one(void)
{
	time_t now = time(NULL);

	start_saved();
	/* Only others are free: they are there for whoever counts why. */
	answers[0].rc = BUSY;
	ctld_call(RUN, 0x29);
	ctld_expect(1, 0);
	assert_int_equal(ctld_nodes(), 0x16);
	/* The plan is for when the owner of the one that fits has left, and
	 * never for one that does not. */
	answers[1] = (struct answer){SLURM_SUCCESS, 0x20, now};
	ctld_call(WILL, 0x9);
	ctld_expect(2, 0x20);
	assert_int_equal(ctld_nodes(), 0x20);
	assert_in_range(ctld.job.start_time, now + 300, time(NULL) + 300);
	answers[1].rc = BUSY;
	ctld_call(WILL, 0x29);
	assert_int_equal(ctld_nodes(), 0x16);
}

/* Those that could go on with it are of another partition, or excluded. */
static void saved_jobs_wait_for_none_in_vain(void)
{
	static bitstr_t may[1 + N_NODES] = {N_NODES, 1, 1, 1, 1, 1, 1};
	static bitstr_t never[1 + N_NODES] = {N_NODES};
	details_t details = {.magic = DETAILS_MAGIC, .exc_node_bitmap = never};

	start_saved();
	ctld.part.node_bitmap = may;
	ctld.job.details = &details;
	answers[0].rc = BUSY;
	ctld_call(RUN, 0x29);
	ctld_expect(1, 0);
	may[1 + 3] = 0;
	ctld_call(RUN, 0x29);
	ctld_expect(1, 0);
	never[1 + 5] = 1;
	ctld_call(RUN, 0x29);
	ctld_expect(1, 0x16);
	may[1 + 3] = 1;
	ctld_call(RUN, 0x29);
	ctld_expect(1, 0);
}

static void nodes_come_and_go(void)
{
	start_table();
	ctld_call(RUN, 0);
	ctld_expect(1, 0x1f);
	/* Renamed in place: seen when slurmctld says that something changed. */
	strcpy(ctld.names[5], "m5");
	last_node_update++;
	ctld_call(RUN, 0);
	ctld_expect(1, 0x3f);
	table_put("m5", VOL_NODETABLE_CLOSED, 1);
	ctld_call(RUN, 0);
	ctld_expect(1, 0x1f);
	/* Another record there. */
	{
		static node_record_t other;

		other = ctld.records[5];
		other.name = (char *)"x5";
		ctld.table[5] = &other;
		ctld_call(RUN, 0);
		ctld_expect(1, 0x3f);
		ctld.table[5] = NULL;
		ctld_call(RUN, 0);
		ctld.table[5] = &ctld.records[5];
	}
	ctld_call(RUN, 0);
	ctld_expect(1, 0x1f);
	table_remove("m5");
	ctld_call(RUN, 0);
	ctld_expect(1, 0x3f);
}

static void starts_are_remembered(void)
{
	struct vol_placement p;
	struct vol_error err;
	char path[96];

	start_table();
	snprintf(path, sizeof(path), "%s/%s", vol_select_folder,
		 VOL_PLACEMENT_FILE);
	/* Not on a device, or not now, or not at all. */
	answers[0].nodes = 0x1;
	ctld_call(RUN, 0);
	answers[0].nodes = 0x2;
	ctld_call(WILL, 0);
	answers[0].rc = BUSY;
	ctld_call(RUN, 0);
	assert_int_equal(vol_placement_find(path, JOB_ID, &p, &err), -1);

	answers[0] = (struct answer){.nodes = 0x10};
	ctld_call(RUN, 0);
	assert_int_equal(vol_placement_find(path, JOB_ID, &p, &err), 0);
	assert_in_range(p.at, time(NULL) - 5, time(NULL));
	assert_int_equal(p.facts.limit_s, 3600);
	assert_int_equal(p.taken, 1);
	assert_int_equal(p.passed, 3);
	assert_int_equal(p.dropped, 1);
	assert_int_equal(p.others, 1);
	assert_int_equal(p.n_nodes, 5);
	assert_string_equal(p.nodes[0].name, "n4");
	assert_int_equal(p.nodes[0].fate, VOL_PLACEMENT_TAKEN);
	assert_int_equal(p.nodes[0].weight, WEIGHT);
	assert_int_equal(p.nodes[0].level, 0);
	assert_true(p.nodes[0].figures.evicted < 0.01);
	assert_string_equal(p.nodes[1].name, "n3");
	assert_string_equal(p.nodes[2].name, "n2");
	assert_string_equal(p.nodes[3].name, "n1");
	assert_true(p.nodes[3].figures.evicted > 0.99);
	assert_string_equal(p.nodes[4].name, "n5");
	assert_int_equal(p.nodes[4].fate, VOL_PLACEMENT_DROPPED);
	assert_int_equal(p.nodes[4].state, VOL_NODETABLE_PARKED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ALONE(owners_who_are_there_get_no_job),
		ALONE(those_who_stay_away_come_first),
		ALONE(time_limits_come_from_the_partition),
		ALONE(checkpoints_level_the_field),
		ALONE(other_partitions_are_not_touched),
		ALONE(failed_starts_leave_the_candidates),
		ALONE(plans_without_them_are_as_they_are),
		ALONE(plans_with_them_are_for_later),
		ALONE(jobs_wait_when_they_would_be_lost),
		ALONE(some_jobs_never_wait),
		ALONE(waiting_is_planned),
		ALONE(now_or_never_is_never),
		ALONE(later_parts_are_asked_about),
		ALONE(saved_jobs_go_where_they_can),
		ALONE(saved_jobs_wait_for_one),
		ALONE(saved_jobs_wait_for_none_in_vain),
		ALONE(nodes_come_and_go),
		ALONE(starts_are_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
