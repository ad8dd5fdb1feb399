/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_wal.c - what a log of slots holds after a cut, a damage, a failed disk
 */
#include "config.h"

#include "wal.h"

#include <errno.h>
#include <string.h>

#include "bytes.h"
#include "wal_bed.h"

#define SLOT  64
#define MAGIC "TESTTEST"

/* Commit n slots with payloads first, first + 1, ...; with a head if replace.
 */
static void commit(struct vol_wal *w, unsigned first, size_t n, bool replace)
{
	struct vol_wal_commit *c =
		vol_wal_commit_create(w, n + replace, replace);
	size_t i;

	assert_non_null(c);
	for (i = 0; i < n; i++)
		vol_put32(vol_wal_payload(c, i + replace), first + (unsigned)i);
	vol_wal_commit_run(c);
	if (!vol_wal_committed(w, c))
		fail_msg("%s", c->why.text);
	vol_wal_commit_destroy(c);
}

/* 1 | 2 | 3 4 5 | 6 in four commits. */
static void make(struct vol_wal *w, const char *path)
{
	assert_int_equal(vol_wal_init(w, path, MAGIC, SLOT), 0);
	assert_true(w->rewrite);
	commit(w, 1, 1, true);
	assert_false(w->rewrite);
	commit(w, 2, 1, false);
	commit(w, 3, 3, false);
	commit(w, 6, 1, false);
	assert_int_equal(w->slots, 7);
	assert_int_equal(bed_size(path), 7 * SLOT);
}

static int scan(const struct vol_wal *w, struct vol_wal_scan *s)
{
	size_t len, i;
	char *file = vol_file_read(w->path, 1 << 20, &len, NULL);
	const uint8_t *p;
	int rc;

	assert_non_null(file);
	rc = vol_wal_scan(w, (uint8_t *)file, len, s);
	/* What is there is what was written there. */
	for (i = 1; rc == 0 && i < s->n; i++) {
		p = vol_wal_slot(w, (uint8_t *)file, i);
		if (p)
			assert_int_equal(vol_get32(p), i);
	}
	free(file);
	return rc;
}

static void a_cut_is_no_damage(void **state)
{
	const char *path = bed_path(state);
	struct vol_wal_scan s;
	struct vol_wal w;

	make(&w, path);
	assert_int_equal(scan(&w, &s), 0);
	assert_int_equal(s.n, 7);
	assert_false(s.torn || s.damaged);
	bed_smear(path, SLOT - 1);
	assert_int_equal(scan(&w, &s), 0);
	assert_int_equal(s.n, 7);
	assert_true(s.torn);
	for (off_t size = 7 * SLOT; size > SLOT; size--) {
		assert_int_equal(truncate(path, size), 0);
		assert_int_equal(scan(&w, &s), 0);
		assert_int_equal(s.n, size / SLOT);
		assert_int_equal(s.torn, size % SLOT != 0);
		assert_int_equal(s.damaged, 0);
	}
	assert_int_equal(truncate(path, SLOT - 1), 0);
	assert_int_equal(scan(&w, &s), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(scan(&w, &s), -1);
	vol_wal_clear(&w);
}

/* A bit of each slot in turn. */
static void a_damage_is_told_from_a_cut(void **state)
{
	static const struct {
		size_t slot, n, damaged, first;
		bool torn;
	} cases[] = {
		{1, 7, 1, 1, false}, /* 2 was written when 1 was on disk */
		{2, 7, 1, 2, false},
		{3, 7, 1, 3, false}, /* 6 knew of 3, 4 and 5 */
		{4, 7, 1, 4, false},
		{5, 7, 1, 5, false},
		{6, 6, 0, 0, true}, /* nobody knows that 6 was there */
	};
	const char *path = bed_path(state);
	struct vol_wal_scan s;
	struct vol_wal w;
	size_t i;

	make(&w, path);
	for (i = 0; i < N_ELEMENTS(cases); i++) {
		for (size_t byte = 0; byte < SLOT; byte += 9) {
			off_t at = (off_t)(cases[i].slot * SLOT + byte);

			bed_spoil(path, at);
			assert_int_equal(scan(&w, &s), 0);
			assert_int_equal(s.n, cases[i].n);
			assert_int_equal(s.damaged, cases[i].damaged);
			assert_int_equal(s.first, cases[i].first);
			assert_int_equal(s.torn, cases[i].torn);
			bed_spoil(path, at);
		}
	}
	/* A power cut may leave the end of a commit without its middle. */
	assert_int_equal(truncate(path, 6 * SLOT), 0);
	bed_spoil(path, 4 * SLOT);
	assert_int_equal(scan(&w, &s), 0);
	assert_int_equal(s.n, 4);
	assert_true(s.torn && !s.damaged);
	/* The head. */
	bed_spoil(path, 20);
	assert_int_equal(scan(&w, &s), -1);
	vol_wal_clear(&w);
}

static void others_files_are_not_ours(void **state)
{
	const char *path = bed_path(state);
	struct vol_wal_scan s;
	struct vol_wal w, other;

	make(&w, path);
	assert_int_equal(vol_wal_init(&other, path, "TESTTESU", SLOT), 0);
	assert_int_equal(scan(&other, &s), -1);
	vol_wal_clear(&other);
	assert_int_equal(vol_wal_init(&other, path, MAGIC, 2 * SLOT), 0);
	assert_int_equal(scan(&other, &s), -1);
	vol_wal_clear(&other);
	vol_wal_clear(&w);
}

/* Somebody else's hand, a disk that is gone: then all of it is written anew. */
static void after_a_failure_it_is_replaced(void **state)
{
	const char *path = bed_path(state);
	struct vol_wal_commit *c;
	struct vol_wal_scan s;
	struct vol_wal w;

	make(&w, path);
	bed_smear(path, 3);
	c = vol_wal_commit_create(&w, 1, false);
	vol_wal_commit_run(c);
	assert_int_equal(c->error, ESTALE);
	assert_contains(c->why.text, path);
	assert_false(vol_wal_committed(&w, c));
	assert_true(w.rewrite);
	assert_int_equal(bed_size(path), 7 * SLOT + 3);
	vol_wal_commit_destroy(c);
	assert_int_equal(unlink(path), 0);
	w.rewrite = false;
	c = vol_wal_commit_create(&w, 1, false);
	vol_wal_commit_run(c);
	assert_int_equal(c->error, ENOENT);
	assert_false(vol_wal_committed(&w, c));
	vol_wal_commit_destroy(c);
	commit(&w, 1, 2, true);
	assert_false(w.rewrite);
	assert_int_equal(w.slots, 3);
	commit(&w, 3, 2, false);
	assert_int_equal(scan(&w, &s), 0);
	assert_int_equal(s.n, 5);
	assert_false(s.torn || s.damaged);
	vol_wal_set_aside(&w);
	assert_int_equal(access(path, F_OK), -1);
	vol_wal_set_aside(&w); /* nothing there: nothing happens */
	vol_wal_clear(&w);
}

int main(void)
{
#define TEST(_name)                                                \
	cmocka_unit_test_setup_teardown(_name, vtest_folder_setup, \
					vtest_folder_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_cut_is_no_damage),
		TEST(a_damage_is_told_from_a_cut),
		TEST(others_files_are_not_ours),
		TEST(after_a_failure_it_is_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
