/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_select_damage.c - the select plugin and a node table that is not right
 *
 * Whatever becomes of the file: no crash, no device dropped that is open or
 * gone from the table, one line in the log.
 */
#include "fake_slurmctld.h"
#include "table_bed.h"

#include <fcntl.h>
#include <time.h>

#define RUN SELECT_MODE_RUN_NOW

/* As often as a round of scheduling would. */
static void expect_all(unsigned int nodes)
{
	for (int i = 0; i < 1000; i++) {
		ctld_call(RUN, 0);
		ctld_expect(1, nodes);
	}
}

static void good_table(void)
{
	table_start();
	table_put("n1", VOL_NODETABLE_PARKED, 60);
	table_put("n2", VOL_NODETABLE_OPEN, 60);
	ctld_call(RUN, 0);
	ctld_expect(1, 0x3d);
	assert_int_equal(ctld.infos, 2);
	ctld.log_text[0] = '\0';
	ctld.infos = 0;
}

static void spoil(off_t at, const void *data, size_t size)
{
	int fd = open(table_path(), O_WRONLY);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, data, size, at), size);
	close(fd);
}

static void expect_stands_aside(const char *why)
{
	expect_all(0x3f);
	ctld_expect_untouched();
	assert_int_equal(ctld.infos, 1);
	assert_int_equal(ctld.errors, 0);
	assert_contains(ctld.log_text, "no devices are known");
	assert_contains(ctld.log_text, why);
}

/* A new writer, and all is well within a second. */
static void expect_comes_back(void)
{
	const struct timespec second = {1, 10 * 1000 * 1000};

	table_start();
	table_put("n1", VOL_NODETABLE_PARKED, 60);
	nanosleep(&second, NULL);
	expect_all(0x3d);
	assert_int_equal(ctld.infos, 2);
	assert_contains(ctld.log_text, "devices are known");
}

static void missing(void)
{
	table_folder();
	ctld_call(RUN, 0);
	ctld.infos--; /* "active" */
	expect_stands_aside("No such file");
	expect_comes_back();
}

static void truncated_in_use(void)
{
	good_table();
	assert_int_equal(truncate(table_path(), 1000), 0);
	/* The words are there. */
	expect_all(0x3d);
	assert_int_equal(truncate(table_path(), 130), 0);
	expect_stands_aside("truncated");
	expect_comes_back();
}

static void emptied_in_use(void)
{
	good_table();
	assert_int_equal(truncate(table_path(), 0), 0);
	expect_stands_aside("truncated");
	expect_comes_back();
}

static void all_ones(void)
{
	uint8_t ones[40000];

	good_table();
	memset(ones, 0xff, sizeof(ones));
	spoil(0, ones, sizeof(ones));
	expect_stands_aside("not a node table");
	expect_comes_back();
}

static void of_a_future_version(void)
{
	const uint32_t version = 2;

	good_table();
	spoil(8, &version, sizeof(version));
	expect_stands_aside("version 2");
	expect_comes_back();
}

static void stale(void)
{
	const uint64_t beat = 1;

	good_table();
	spoil(32, &beat, sizeof(beat));
	expect_stands_aside("silent");
	table_put("n1", VOL_NODETABLE_PARKED, 61);
	expect_all(0x3d);
	assert_int_equal(ctld.infos, 2);
}

static void somebody_elses(void)
{
	good_table();
	if (geteuid() != 0)
		return;
	assert_int_equal(unlink(table_path()), 0);
	table_start();
	assert_int_equal(chown(table_path(), 4711, 4711), 0);
	/* The one that it has is retired only where there is a path to it. */
	ctld_call(RUN, 0);
	ctld_expect(1, 0x3d);
}

/* Records of garbage, the words as they are. */
static void spoilt_records(void)
{
	uint8_t ones[33000];

	good_table();
	memset(ones, 0xff, sizeof(ones));
	spoil(128 + 64 * 8, ones, sizeof(ones));
	expect_all(0x3d);
	assert_int_equal(ctld.infos, 0);
}

static void rewritten_all_the_time(void)
{
	struct timespec start, now;

	table_start();
	for (int i = 0; i < N_NODES; i++)
		table_put(ctld.names[i],
			  i == 1 ? VOL_NODETABLE_PARKED : VOL_NODETABLE_OPEN,
			  60);
	ctld_call(RUN, 0);
	assert_int_equal(ctld.infos, 2);
	table_storm();
	clock_gettime(CLOCK_MONOTONIC, &start);
	do {
		expect_all(0x3d);
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while (now.tv_sec < start.tv_sec + 2);
	assert_int_equal(ctld.infos, 2);
	assert_int_equal(ctld.errors, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ALONE(missing),
		ALONE(truncated_in_use),
		ALONE(emptied_in_use),
		ALONE(all_ones),
		ALONE(of_a_future_version),
		ALONE(stale),
		ALONE(somebody_elses),
		ALONE(spoilt_records),
		ALONE(rewritten_all_the_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
