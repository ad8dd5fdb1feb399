/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_committer.c - many changes share a write, and a disk that fails is tried
 * again */
#include "config.h"

#include "committer.h"

#include <time.h>

#include "bytes.h"
#include "log.h"
#include "wal_bed.h"

#define DEADLINE_S 30

struct bed {
	sd_event *loop;
	struct vol_wal wal;
	struct vol_wal_commit *commit;
	unsigned waiting, under_way, written, commits, complaints;
};

static struct vol_wal_commit *begin(void *arg)
{
	struct bed *b = arg;

	assert_null(b->commit);
	if (!b->waiting)
		return NULL;
	b->commit = vol_wal_commit_create(&b->wal, b->waiting + b->wal.rewrite,
					  b->wal.rewrite);
	b->under_way = b->waiting;
	b->waiting = 0;
	return b->commit;
}

static bool end(void *arg, struct vol_error *why)
{
	struct bed *b = arg;
	bool done = vol_wal_committed(&b->wal, b->commit);

	b->commits++;
	*why = b->commit->why;
	vol_wal_commit_destroy(b->commit);
	b->commit = NULL;
	*(done ? &b->written : &b->waiting) += b->under_way;
	return done;
}

static const struct vol_committer_ops ops = {begin, end};

static void count_complaints(enum vol_log_level level, const char *msg,
			     void *arg)
{
	struct bed *b = arg;

	(void)msg;
	b->complaints += level == VOL_LOG_ERR;
}

static struct vol_committer *start(struct bed *b, const char *path)
{
	struct vol_committer *c;
	struct vol_error err;

	memset(b, 0, sizeof(*b));
	assert_true(sd_event_new(&b->loop) >= 0);
	assert_int_equal(vol_wal_init(&b->wal, path, "TESTTEST", 64), 0);
	vol_log_set(count_complaints, b, VOL_LOG_ERR);
	c = vol_committer_create(b->loop, &ops, b, &err);
	assert_non_null(c);
	return c;
}

static void stop(struct bed *b, struct vol_committer *c)
{
	vol_committer_destroy(c);
	vol_log_set(NULL, NULL, VOL_LOG_ERR);
	vol_wal_clear(&b->wal);
	sd_event_unref(b->loop);
}

#define run_until(b, condition)                                           \
	do {                                                              \
		time_t end_ = time(NULL) + DEADLINE_S;                    \
		while (!(condition)) {                                    \
			assert_true(sd_event_run((b)->loop, 20000) >= 0); \
			assert_true(time(NULL) <= end_);                  \
		}                                                         \
	} while (0)

static void many_changes_share_a_write(void **state)
{
	struct vol_committer *c;
	struct bed b;

	c = start(&b, bed_path(state));
	vol_committer_kick(c); /* nothing to do */
	for (int i = 0; i < 1000; i++) {
		b.waiting++;
		vol_committer_kick(c);
	}
	run_until(&b, b.written == 1000);
	assert_int_equal(b.commits, 2);
	assert_int_equal(bed_size(bed_path(state)), 1001 * 64);
	stop(&b, c);
}

static void the_end_writes_what_is_left(void **state)
{
	struct vol_committer *c;
	struct bed b;

	c = start(&b, bed_path(state));
	b.waiting = 3;
	vol_committer_kick(c);
	b.waiting = 4;
	stop(&b, c);
	assert_int_equal(b.written, 7);
	assert_int_equal(bed_size(bed_path(state)), 8 * 64);
	vol_committer_destroy(NULL);
}

static void a_flush_is_no_end(void **state)
{
	struct vol_committer *c;
	struct bed b;

	c = start(&b, bed_path(state));
	for (unsigned i = 1; i <= 50; i++) {
		b.waiting = 1;
		vol_committer_kick(c);
		b.waiting += i % 2;
		vol_committer_flush(c);
		assert_int_equal(b.waiting, 0);
		b.waiting = 1;
		vol_committer_kick(c);
		run_until(&b, b.waiting == 0 && !b.commit);
	}
	assert_int_equal(b.written, 125);
	stop(&b, c);
}

static void a_failure_is_said_once_and_tried_again(void **state)
{
	struct vol_committer *c;
	char path[300];
	struct bed b;

	snprintf(path, sizeof(path), "%s.folder", bed_path(state));
	c = start(&b, path);
	snprintf(path, sizeof(path), "%s.folder/x", bed_path(state));
	free(b.wal.path);
	b.wal.path = strdup(path);
	b.waiting = 5;
	vol_committer_kick(c);
	run_until(&b, b.commits == 2);
	assert_int_equal(b.written, 0);
	assert_int_equal(b.complaints, 1);
	snprintf(path, sizeof(path), "%s.folder", bed_path(state));
	assert_int_equal(mkdir(path, 0700), 0);
	run_until(&b, b.written == 5);
	stop(&b, c);
}

int main(void)
{
#define TEST(_name)                                                \
	cmocka_unit_test_setup_teardown(_name, vtest_folder_setup, \
					vtest_folder_teardown)
	const struct CMUnitTest tests[] = {
		TEST(many_changes_share_a_write),
		TEST(the_end_writes_what_is_left),
		TEST(a_flush_is_no_end),
		TEST(a_failure_is_said_once_and_tried_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
