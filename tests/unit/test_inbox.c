/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_inbox.c - what was applied is known again, of every device */
#include "config.h"

#include "inbox.h"

#include <errno.h>
#include <string.h>

#include "bytes.h"
#include "wal_bed.h"

#define A  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B  "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define S1 0x1111
#define S2 0x2222

static struct vol_inbox *load(const char *path)
{
	struct vol_error err;
	struct vol_inbox *in = vol_inbox_load(path, &err);

	if (!in || *err.text)
		fail_msg("%s", err.text);
	return in;
}

static enum vol_inbox_meeting meet(struct vol_inbox *in, const char *id,
				   uint64_t stream, uint64_t acked)
{
	enum vol_inbox_meeting m = VOL_INBOX_SAME;

	assert_int_equal(vol_inbox_meet(in, id, stream, acked, (void *)id, &m),
			 0);
	return m;
}

struct heard {
	char text[256];
};

static void on_recorded(void *who, uint64_t stream, uint64_t seq, void *arg)
{
	const char *id = who;
	struct heard *h = arg;
	size_t len = strlen(h->text);

	snprintf(h->text + len, sizeof(h->text) - len, "%c:%x:%d ", *id,
		 (unsigned)stream, (int)seq);
}

static const char *commit(struct vol_inbox *in)
{
	static struct heard h;
	struct vol_wal_commit *c = vol_inbox_begin(in);
	struct vol_error why = {""};

	memset(&h, 0, sizeof(h));
	assert_non_null(c);
	vol_wal_commit_run(c);
	if (!vol_inbox_end(in, on_recorded, &h, &why))
		fail_msg("%s", why.text);
	return h.text;
}

static void each_number_is_applied_once(void **state)
{
	static const struct {
		uint64_t stream, after, seq;
		enum vol_inbox_verdict want;
	} cases[] = {
		{S1, 3, 4, VOL_INBOX_APPLY},
		{S1, 2, 4, VOL_INBOX_APPLY}, /* 3 was dropped by now */
		{S1, 3, 9, VOL_INBOX_APPLY}, /* what was in between, too */
		{S1, 2, 3, VOL_INBOX_APPLIED},
		{S1, 0, 1, VOL_INBOX_APPLIED},
		{S1, 4, 5, VOL_INBOX_GAP},
		{S2, 3, 4, VOL_INBOX_OTHER},
	};
	struct vol_inbox *in = load(bed_path(state));
	size_t i;

	assert_int_equal(vol_inbox_decide(in, A, S1, 0, 1), VOL_INBOX_OTHER);
	vol_inbox_applied(in, A, 1); /* whose? */
	assert_int_equal(vol_inbox_last(in, A), 0);
	assert_int_equal(meet(in, A, S1, 0), VOL_INBOX_NEW);
	vol_inbox_applied(in, A, 2);
	vol_inbox_applied(in, A, 3);
	vol_inbox_applied(in, A, 1);
	for (i = 0; i < N_ELEMENTS(cases); i++)
		assert_int_equal(vol_inbox_decide(in, A, cases[i].stream,
						  cases[i].after, cases[i].seq),
				 cases[i].want);
	assert_int_equal(vol_inbox_last(in, A), 3);
	assert_int_equal(vol_inbox_recorded(in, A), 0);
	/* Some take their time; what follows them is not missing anything. */
	vol_inbox_take(in, A, 4);
	assert_int_equal(vol_inbox_decide(in, A, S1, 3, 4), VOL_INBOX_TAKEN);
	assert_int_equal(vol_inbox_decide(in, A, S1, 4, 5), VOL_INBOX_APPLY);
	assert_int_equal(vol_inbox_decide(in, A, S1, 5, 6), VOL_INBOX_GAP);
	assert_int_equal(vol_inbox_decide(in, A, S1, 2, 3), VOL_INBOX_APPLIED);
	assert_int_equal(meet(in, A, S1, 0), VOL_INBOX_SAME);
	assert_int_equal(vol_inbox_decide(in, A, S1, 3, 4), VOL_INBOX_APPLY);
	assert_string_equal(commit(in), "a:1111:3 ");
	assert_int_equal(vol_inbox_recorded(in, A), 3);
	assert_null(vol_inbox_begin(in));
	vol_inbox_destroy(in);
	vol_inbox_destroy(NULL);
}

static void meetings(void **state)
{
	struct vol_inbox *in = load(bed_path(state));

	assert_int_equal(meet(in, A, S1, 0), VOL_INBOX_NEW);
	assert_int_equal(meet(in, B, S1, 7), VOL_INBOX_BEHIND);
	assert_int_equal(vol_inbox_last(in, B), 7);
	vol_inbox_applied(in, A, 5);
	assert_int_equal(meet(in, A, S1, 0), VOL_INBOX_SAME);
	assert_int_equal(meet(in, A, S1, 5), VOL_INBOX_SAME);
	assert_int_equal(vol_inbox_last(in, A), 5);
	assert_int_equal(meet(in, A, S1, 6), VOL_INBOX_BEHIND);
	assert_int_equal(vol_inbox_last(in, A), 6);
	assert_int_equal(meet(in, A, S2, 0), VOL_INBOX_RESET);
	assert_int_equal(vol_inbox_last(in, A), 0);
	assert_int_equal(vol_inbox_decide(in, A, S2, 0, 1), VOL_INBOX_APPLY);
	/* Nothing of it is on disk. */
	assert_int_equal(vol_inbox_recorded(in, A), 0);
	assert_string_equal(commit(in), "a:2222:0 b:1111:7 ");
	vol_inbox_destroy(in);
	in = load(bed_path(state));
	assert_int_equal(meet(in, A, S2, 0), VOL_INBOX_SAME);
	assert_int_equal(meet(in, B, S1, 7), VOL_INBOX_SAME);
	vol_inbox_forget(in, A);
	vol_inbox_forget(in, A);
	assert_int_equal(vol_inbox_last(in, A), 0);
	assert_int_equal(meet(in, A, S2, 0), VOL_INBOX_NEW);
	vol_inbox_destroy(in);
}

/* What changes while a commit is under way is in the next one. */
static void commits_and_changes_overlap(void **state)
{
	struct vol_inbox *in = load(bed_path(state));
	struct vol_wal_commit *c;
	struct heard h = {""};

	meet(in, A, S1, 0);
	meet(in, B, S1, 0);
	vol_inbox_applied(in, A, 1);
	c = vol_inbox_begin(in);
	assert_null(vol_inbox_begin(in));
	vol_inbox_applied(in, A, 2);
	vol_inbox_forget(in, B);
	vol_wal_commit_run(c);
	assert_true(vol_inbox_end(in, on_recorded, &h, NULL));
	assert_string_equal(h.text, "a:1111:1 ");
	assert_int_equal(vol_inbox_recorded(in, A), 1);
	assert_string_equal(commit(in), "a:1111:2 ");
	meet(in, B, S1, 0);
	c = vol_inbox_begin(in);
	vol_inbox_forget(in, B);
	assert_non_null(c);
	vol_inbox_destroy(in);
}

static void a_disk_that_fails_is_tried_again(void **state)
{
	struct vol_inbox *in = load(bed_path(state));
	struct vol_wal_commit *c;
	struct vol_error why;

	meet(in, A, S1, 0);
	commit(in);
	vol_inbox_applied(in, A, 1);
	bed_smear(bed_path(state), 1);
	c = vol_inbox_begin(in);
	vol_wal_commit_run(c);
	assert_false(vol_inbox_end(in, NULL, NULL, &why));
	assert_contains(why.text, bed_path(state));
	assert_int_equal(vol_inbox_recorded(in, A), 0);
	assert_string_equal(commit(in), "a:1111:1 ");
	vol_inbox_destroy(in);
	in = load(bed_path(state));
	assert_int_equal(vol_inbox_last(in, A), 1);
	/* Is it on disk?  The life before may have been killed. */
	assert_int_equal(vol_inbox_recorded(in, A), 0);
	assert_string_equal(commit(in), ""); /* to nobody who is here */
	assert_int_equal(vol_inbox_recorded(in, A), 1);
	meet(in, A, S1, 0);
	vol_inbox_applied(in, A, 2);
	assert_string_equal(commit(in), "a:1111:2 ");
	vol_inbox_applied(in, A, 3);
	vol_inbox_part(in, A);
	vol_inbox_part(in, B);
	assert_string_equal(commit(in), "");
	vol_inbox_destroy(in);
}

static void the_file_stays_short(void **state)
{
	struct vol_inbox *in = load(bed_path(state));
	char id[VOL_DEVICE_ID_SIZE];
	unsigned i, k;

	for (i = 0; i < 1000; i++) {
		snprintf(id, sizeof(id), "%032x", (i * 7919) % 1000);
		meet(in, id, S1, 0);
	}
	for (k = 1; k <= 20; k++) {
		for (i = 0; i < 1000; i++) {
			snprintf(id, sizeof(id), "%032x", i);
			vol_inbox_applied(in, id, k);
		}
		commit(in);
		assert_in_range(bed_size(bed_path(state)), 1001 * 64,
				(2 * 1000 + 4096 + 1) * 64);
	}
	vol_inbox_destroy(in);
	in = load(bed_path(state));
	for (i = 0; i < 1000; i++) {
		snprintf(id, sizeof(id), "%032x", i);
		assert_int_equal(vol_inbox_last(in, id), 20);
	}
	vol_inbox_destroy(in);
}

static void what_can_be_read_of_a_damaged_file_is_kept(void **state)
{
	const char *path = bed_path(state);
	struct vol_inbox *in = load(path);
	struct vol_error err;
	char aside[300];

	meet(in, A, S1, 0);
	commit(in);
	vol_inbox_applied(in, A, 1);
	commit(in);
	meet(in, B, S2, 3);
	commit(in);
	vol_inbox_destroy(in);
	bed_spoil(path, 2 * 64 + 30);
	in = vol_inbox_load(path, &err);
	assert_non_null(in);
	assert_contains(err.text, path);
	assert_contains(err.text, "slot 2 is damaged");
	assert_int_equal(vol_inbox_last(in, A), 0);
	assert_int_equal(vol_inbox_last(in, B), 3);
	snprintf(aside, sizeof(aside), "%s.damaged", path);
	assert_int_equal(bed_size(aside), 4 * 64);
	/* Written anew at once, though nothing has happened. */
	commit(in);
	assert_null(vol_inbox_begin(in));
	vol_inbox_destroy(in);
	in = load(path);
	assert_int_equal(vol_inbox_last(in, B), 3);
	/* The device knows better. */
	assert_int_equal(meet(in, A, S1, 1), VOL_INBOX_BEHIND);
	assert_int_equal(vol_inbox_last(in, A), 1);
	vol_inbox_destroy(in);
	bed_spoil(path, 20);
	in = vol_inbox_load(path, &err);
	assert_contains(err.text, "not a record of reports");
	vol_inbox_destroy(in);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_null(vol_inbox_load(path, &err));
	assert_int_equal(rmdir(path), 0);
}

static void a_torn_tail_is_cut(void **state)
{
	const char *path = bed_path(state);
	struct vol_inbox *in = load(path);

	meet(in, A, S1, 0);
	commit(in);
	vol_inbox_applied(in, A, 1);
	commit(in);
	vol_inbox_destroy(in);
	assert_int_equal(truncate(path, 2 * 64 + 63), 0);
	in = load(path);
	assert_int_equal(vol_inbox_last(in, A), 0);
	commit(in);
	assert_int_equal(bed_size(path), 2 * 64);
	vol_inbox_destroy(in);
}

int main(void)
{
#define TEST(_name)                                                \
	cmocka_unit_test_setup_teardown(_name, vtest_folder_setup, \
					vtest_folder_teardown)
	const struct CMUnitTest tests[] = {
		TEST(each_number_is_applied_once),
		TEST(meetings),
		TEST(commits_and_changes_overlap),
		TEST(a_disk_that_fails_is_tried_again),
		TEST(the_file_stays_short),
		TEST(what_can_be_read_of_a_damaged_file_is_kept),
		TEST(a_torn_tail_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
