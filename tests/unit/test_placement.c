/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_placement.c - decisions that are remembered */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "placement.h"
#include "tests/unit/vtest.h"

static char path[PATH_MAX];

static int setup(void **state)
{
	if (vtest_folder_setup(state) < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/placements", (char *)*state);
	return 0;
}

static struct vol_placement placement(uint32_t job)
{
	struct vol_placement p = {
		.at = 1000 + job,
		.job = job,
		.facts = {3600, 600, 10},
		.taken = 1,
		.passed = 2,
		.dropped = 30,
		.others = 4,
		.n_nodes = VOL_PLACEMENT_NODES,
	};

	for (unsigned int i = 0; i < VOL_PLACEMENT_NODES; i++) {
		struct vol_placement_node *n = &p.nodes[i];

		snprintf(n->name, sizeof(n->name), "desk%u-%u", job, i);
		n->fate = (enum vol_placement_fate)(i % 3);
		n->state = VOL_NODETABLE_OPEN;
		n->weight = i;
		n->level = i % VOL_SCORE_LEVELS;
		n->speed = 1000 + i;
		n->figures = (struct vol_score_figures){.5, i, 2.5 * i, 1e9};
	}
	return p;
}

static void add(uint32_t first, uint32_t last)
{
	struct vol_error err = {""};
	struct vol_placement_log *log = vol_placement_open(path, &err);

	assert_non_null(log);
	for (uint32_t job = first; job <= last; job++) {
		struct vol_placement p = placement(job);

		vol_placement_add(log, &p);
	}
	vol_placement_close(log);
}

static void expect(uint32_t job)
{
	struct vol_placement want = placement(job), got;

	assert_int_equal(vol_placement_find(path, job, &got, NULL), 0);
	assert_int_equal(got.at, want.at);
	assert_int_equal(got.job, job);
	assert_memory_equal(&got.facts, &want.facts, sizeof(want.facts));
	assert_int_equal(got.taken, 1);
	assert_int_equal(got.passed, 2);
	assert_int_equal(got.dropped, 30);
	assert_int_equal(got.others, 4);
	assert_int_equal(got.n_nodes, VOL_PLACEMENT_NODES);
	for (unsigned int i = 0; i < VOL_PLACEMENT_NODES; i++) {
		const struct vol_placement_node *a = &got.nodes[i];
		const struct vol_placement_node *b = &want.nodes[i];

		assert_string_equal(a->name, b->name);
		assert_int_equal(a->fate, b->fate);
		assert_int_equal(a->state, b->state);
		assert_int_equal(a->weight, b->weight);
		assert_int_equal(a->level, b->level);
		assert_int_equal(a->speed, b->speed);
		assert_memory_equal(&a->figures, &b->figures,
				    sizeof(a->figures));
	}
}

static void expect_none(uint32_t job, int errnum)
{
	struct vol_placement got;
	struct vol_error err = {""};

	errno = 0;
	assert_int_equal(vol_placement_find(path, job, &got, &err), -1);
	assert_int_equal(errno, errnum);
	assert_contains(err.text, path);
}

static void nothing_is_remembered(void **state)
{
	(void)state;
	expect_none(1, ENOENT);
	add(2, 1);
	expect_none(1, ENOENT);
	expect_none(0, ENOENT);
	vol_placement_close(NULL);
}

static void the_newest_are_remembered(void **state)
{
	struct vol_placement p = placement(3);
	struct vol_placement_log *log;
	struct stat st;

	(void)state;
	add(1, 3);
	expect(1);
	expect(3);
	expect_none(4, ENOENT);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
	/* A process later, and round the ring. */
	add(4, VOL_PLACEMENT_RING + 2);
	expect_none(1, ENOENT);
	expect_none(2, ENOENT);
	expect(3);
	expect(VOL_PLACEMENT_RING + 2);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, VOL_PLACEMENT_RING * 1536);
	/* A job that started again. */
	log = vol_placement_open(path, NULL);
	p.at = 77;
	vol_placement_add(log, &p);
	assert_int_equal(vol_placement_find(path, 3, &p, NULL), 0);
	assert_int_equal(p.at, 77);
	vol_placement_close(log);
}

static void another_file_is_begun(void **state)
{
	struct vol_placement_log *log = vol_placement_open(path, NULL);
	struct vol_placement p = placement(1);
	struct stat st;

	(void)state;
	assert_non_null(log);
	vol_placement_add(log, &p);
	expect(1);
	assert_int_equal(unlink(path), 0);
	p = placement(2);
	vol_placement_add(log, &p);
	expect(2);
	expect_none(1, ENOENT);
	/* What is written behind a file's end kills the writer. */
	assert_int_equal(truncate(path, 100), 0);
	p = placement(3);
	vol_placement_add(log, &p);
	expect(3);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, VOL_PLACEMENT_RING * 1536);
	/* Somebody else's is there now. */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/dev/null", path), 0);
	vol_placement_add(log, &p);
	assert_int_equal(unlink(path), 0);
	vol_placement_add(log, &p);
	expect(3);
	vol_placement_close(log);
}

static void spoil(off_t at, const void *data, size_t size)
{
	cleanup_fd int fd = open(path, O_WRONLY);

	assert_int_equal(pwrite(fd, data, size, at), size);
}

static void torn_records_are_skipped(void **state)
{
	char junk[1536];

	(void)state;
	memset(junk, 0xff, sizeof(junk));
	add(1, 3);
	/* Number n is at n % VOL_PLACEMENT_RING. */
	spoil(2 * 1536 + 100, junk, 1);
	expect(1);
	expect_none(2, ENOENT);
	expect(3);
	assert_int_equal(truncate(path, 3 * 1536 + 1000), 0);
	expect_none(3, ENOENT);
	spoil(1536, junk, sizeof(junk));
	expect_none(1, ENOENT);
	add(9, 9);
	expect(9);
}

/* Figures that no scorer of ours writes do not reach a reader. */
static void odd_figures_are_skipped(void **state)
{
	struct vol_placement p;
	struct vol_placement_log *log;

	(void)state;
	log = vol_placement_open(path, NULL);
	assert_non_null(log);
#define ODD(job_, change)                   \
	do {                                \
		p = placement(job_);        \
		change;                     \
		vol_placement_add(log, &p); \
		expect_none(job_, ENOENT);  \
	} while (0)
	ODD(1, p.nodes[3].figures.evicted = 1.5);
	ODD(2, p.nodes[3].figures.run_s = (double)NAN);
	ODD(3, p.nodes[3].figures.wasted_s = (double)INFINITY);
	ODD(4, p.nodes[3].figures.completion_s = -1);
	ODD(5, p.nodes[3].level = VOL_SCORE_LEVELS);
	ODD(6, p.nodes[3].fate = VOL_PLACEMENT_DROPPED + 1);
	ODD(7, p.nodes[3].state = 6);
	ODD(8, p.nodes[3].name[0] = '\0');
	ODD(9, p.nodes[3].name[0] = '\x1b');
#undef ODD
	p = placement(10);
	p.n_nodes = 1000;
	vol_placement_add(log, &p);
	vol_placement_close(log);
	expect(10);
}

static void strangers_files_are_refused(void **state)
{
	struct vol_error err = {""};
	char target[PATH_MAX + 8];

	(void)state;
	snprintf(target, sizeof(target), "%s.target", path);
	assert_int_equal(symlink(target, path), 0);
	assert_null(vol_placement_open(path, &err));
	assert_int_equal(access(target, F_OK), -1);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0644), 0);
	assert_null(vol_placement_open(path, &err));
	assert_contains(err.text, "not a file");
	assert_int_equal(unlink(path), 0);
	add(1, 1);
	assert_int_equal(link(path, target), 0);
	assert_null(vol_placement_open(path, &err));
	assert_contains(err.text, "somebody else");
	assert_int_equal(chmod(path, 0666), 0);
	expect_none(1, EPERM);
}

#define folder_test(test) \
	cmocka_unit_test_setup_teardown(test, setup, vtest_folder_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		folder_test(nothing_is_remembered),
		folder_test(the_newest_are_remembered),
		folder_test(another_file_is_begun),
		folder_test(torn_records_are_skipped),
		folder_test(odd_figures_are_skipped),
		folder_test(strangers_files_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
