/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_select_trust.c - inside a slurmctld that is not what the plugin was
 * built for
 *
 * A node table with a device that is parked is there all the time: that it is
 * not dropped shows that the plugin stands aside.
 */
#include "fake_slurmctld.h"
#include "table_bed.h"

#define RUN 0x100 /* SELECT_MODE_RUN_NOW with a flag */

static void call(void)
{
	static bool table;

	if (!table)
		table_start();
	table = true;
	table_put("n1", VOL_NODETABLE_PARKED, 60);
	ctld_call(RUN, 0);
}

static void a_slurmctld_as_expected(void)
{
	call();
	ctld_expect(1, 0x3d);
	call();
	assert_int_equal(ctld.infos, 2);
	assert_int_equal(ctld.errors, 0);
	assert_contains(ctld.log_text, SLURM_VERSION_STRING);
	assert_contains(ctld.log_text, "active");
	assert_contains(ctld.log_text, "devices are known");
}

static void reservation_is_passed_on(void)
{
	call();
	ctld.job.job_id = 0;
	call();
	ctld_expect(1, 0x3f);
	ctld_expect_untouched();
}

static void no_candidate_leaves_it_open(void)
{
	ctld_call(RUN, 0x3f);
	assert_int_equal(ctld.infos + ctld.errors, 0);
	call();
	assert_int_equal(ctld.infos, 2);
	ctld_call(RUN, 0x3f);
	ctld_expect(1, 0);
}

/* The cases of a slurmctld that is not what the plugin was built for. */
static void expect_distrust(const char *why)
{
	call();
	call();
	ctld_expect(1, 0x3f);
	ctld_expect_untouched();
	assert_int_equal(ctld.infos, 0);
	assert_int_equal(ctld.errors, 1);
	assert_contains(ctld.log_text, why);
	assert_contains(ctld.log_text, "standing aside");
}

static void other_version(void)
{
	*ctld.running_version = SLURM_VERSION_NUMBER + 1;
	expect_distrust("another version");
}

static void other_node_magic(void)
{
	ctld.records[2].magic++;
	expect_distrust("node records");
}

static void other_node_index(void)
{
	ctld.records[2].index++;
	expect_distrust("node records");
}

static void other_node_size(void)
{
	ctld.node_size += 8;
	expect_distrust("node records");
}

static void node_without_record(void)
{
	ctld.table[2] = NULL;
	expect_distrust("node records");
}

static void node_without_name(void)
{
	ctld.records[2].name = NULL;
	expect_distrust("node records");
}

static void other_job_size(void)
{
	ctld.job_size += 8;
	expect_distrust("job records");
}

/* Never the record that slurmctld knows: not decided by one call, which may
 * well be for a reservation, but in the end. */
static void expect_slow_distrust(void)
{
	for (int i = 0; i < 99; i++)
		call();
	assert_int_equal(ctld.infos + ctld.errors, 0);
	expect_distrust("job records");
}

static void other_job_magic(void)
{
	ctld.job.magic++;
	expect_slow_distrust();
}

static void other_job_id(void)
{
	ctld.job.job_id = 7;
	expect_slow_distrust();
}

static void job_not_listed(void)
{
	ctld.listed = NULL;
	expect_slow_distrust();
}

static void other_table_size(void)
{
	node_record_count = N_NODES - 1;
	expect_distrust("node table");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ALONE(a_slurmctld_as_expected),
		ALONE(reservation_is_passed_on),
		ALONE(no_candidate_leaves_it_open),
		ALONE(other_version),
		ALONE(other_node_magic),
		ALONE(other_node_index),
		ALONE(other_node_size),
		ALONE(node_without_record),
		ALONE(node_without_name),
		ALONE(other_job_size),
		ALONE(other_job_magic),
		ALONE(other_job_id),
		ALONE(job_not_listed),
		ALONE(other_table_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
