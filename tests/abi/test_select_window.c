/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_select_window.c - which candidates the select plugin shows for a start
 *
 * n0 is a node like any other, n1 ... n5 are devices, the lower the number the
 * sooner their owners come: n1 and n2 are heavier than the rest.
 */
#include "fake_slurmctld.h"
#include "table_bed.h"

#define RUN  (SELECT_MODE_RUN_NOW | 0x100)
#define WILL (SELECT_MODE_WILL_RUN | 0x100)
#define BUSY ESLURM_NODES_BUSY
/* The heavy ones, and those that are equally light. */
#define HEAVY 0x06
#define LIGHT 0x39
#define ALL   0x3f

/* Slurm had several names for it. */
typedef __typeof__(*((job_record_t *)NULL)->details) details_t;
static details_t details;

/* A job of one node that has just got a light one. */
static void begin(void)
{
	table_start();
	table_put("n1", VOL_NODETABLE_OPEN, 10);
	table_put("n2", VOL_NODETABLE_OPEN, 25);
	table_put("n3", VOL_NODETABLE_OPEN, 600);
	table_put("n4", VOL_NODETABLE_OPEN, 600);
	table_put("n5", VOL_NODETABLE_OPEN, 600);
	details = (details_t){.magic = DETAILS_MAGIC, .num_tasks = 1};
	ctld.job.details = &details;
	ctld.req = 1;
	answers[0].nodes = 0x08;
	ctld_call(RUN, 0);
	ctld_expect(1, ALL);
}

static void expect_all(void)
{
	ctld_call(RUN, 0);
	ctld_expect(1, ALL);
}

static void the_next_start_sees_the_light_ones(void)
{
	begin();
	ctld_call(RUN, 0);
	ctld_expect(1, LIGHT);
	assert_int_equal(ctld_nodes(), 0x08);
	/* As many as before, although owners are there: then fewer. */
	table_put("n4", VOL_NODETABLE_PARKED, 600);
	table_put("n5", VOL_NODETABLE_PARKED, 600);
	ctld_call(RUN, 0);
	ctld_expect(1, ALL & ~0x30);
	ctld_call(RUN, 0);
	ctld_expect(1, LIGHT & ~0x30);
}

static void all_are_shown_where_the_light_ones_are_full(void)
{
	begin();
	answers[0] = (struct answer){.rc = BUSY};
	answers[1] = (struct answer){.nodes = 0x04};
	ctld_call(RUN, 0);
	ctld_expect(2, ALL);
	assert_int_equal(ctld_nodes(), 0x04);
	/* So much is learnt: all but the heaviest. */
	answers[0] = (struct answer){.nodes = 0x04};
	ctld_call(RUN, 0);
	ctld_expect(1, ALL & ~0x02);
	/* And when something has ended on a light one. */
	answers[0].nodes = 0x20;
	ctld_call(RUN, 0);
	ctld_expect(1, ALL & ~0x02);
	ctld_call(RUN, 0);
	ctld_expect(1, LIGHT);
}

static void what_fails_fails_with_all(void)
{
	begin();
	answers[0] = answers[1] = (struct answer){.rc = BUSY};
	assert_int_equal(ctld_call(RUN, 0), BUSY);
	ctld_expect(2, ALL);
	/* Nothing is known now. */
	answers[0] = (struct answer){.nodes = 0x08};
	expect_all();
	ctld_call(RUN, 0);
	ctld_expect(1, LIGHT);
}

/* Those for whom Slurm looks at more than weights, and all plans. */
static void others_see_all(void)
{
	bitstr_t wanted[2] = {1, 1};

	begin();
	answers[0] = (struct answer){0};
	ctld_call(WILL, 0);
	ctld_expect(1, ALL);

	ctld.req = 2;
	expect_all();
	ctld.req = 1;
	ctld.preempts = true;
	expect_all();
	ctld.preempts = false;
	details.num_tasks = 2;
	expect_all();
	details.num_tasks = 1;
	details.req_node_bitmap = wanted;
	expect_all();
	details.req_node_bitmap = NULL;
	ctld.part.max_share = 4;
	expect_all();
	ctld.part.max_share = SHARED_FORCE | 4;
	expect_all();
	ctld.part.max_share = SHARED_FORCE | 1;
	ctld.job.details = NULL;
	expect_all();
	ctld.job.details = &details;
	details.num_tasks = 8;
	details.max_nodes = 1;
	ctld_call(RUN, 0);
	ctld_expect(1, LIGHT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ALONE(the_next_start_sees_the_light_ones),
		ALONE(all_are_shown_where_the_light_ones_are_full),
		ALONE(what_fails_fails_with_all),
		ALONE(others_see_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
