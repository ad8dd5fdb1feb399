/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_park_file.c - parked time written and read, damaged, of another boot */
#include "config.h"

#include "device/park_file.h"

#include <errno.h>

#include "atomicfile.h"
#include "vtest.h"

#define BOOT  "0123456789abcdef0123456789abcdef"
#define OTHER "0123456789abcdef0123456789abcdee"

#define NOW 900000

static char *path_of(void **state)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/parked", (char *)*state);
	return path;
}

static void park(struct vol_parkclock *c, const uint32_t *jobs, size_t n,
		 bool stopped, uint64_t now_ms)
{
	const bool all[] = {stopped, stopped};

	assert_int_equal(vol_parkclock_jobs(c, jobs, all, n, now_ms), 0);
}

static void comes_back(void **state)
{
	const uint32_t jobs[] = {5, 6};
	const char *path = path_of(state);
	struct vol_parkclock c = {0}, got = {0};
	struct vol_error err;
	uint64_t closed;
	uint32_t s;

	assert_int_equal(
		vol_park_file_load(path, BOOT, NOW, &closed, &got, &err), 0);
	assert_int_equal(closed, NOW);
	assert_int_equal(got.n, 0);

	park(&c, jobs, 2, true, 100000);
	park(&c, jobs, 2, false, 150000);
	park(&c, jobs, 1, true, 200000);
	assert_true(c.changed);
	assert_int_equal(vol_park_file_save(path, BOOT, 200000, &c, &err), 0);
	assert_int_equal(
		vol_park_file_load(path, BOOT, NOW, &closed, &got, &err), 0);
	assert_int_equal(closed, 200000);
	/* 50 s before, and 700 s since. */
	park(&got, jobs, 1, true, NOW);
	assert_int_equal(vol_parkclock_tell(&got, NOW, 30, &s), 5);
	assert_int_equal(s, 750);
	/* And once more at once. */
	assert_int_equal(vol_park_file_save(path, BOOT, 200000, &got, &err), 0);
	if (vol_park_file_load(path, BOOT, NOW, &closed, &got, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(vol_parkclock_tell(&got, NOW, 30, &s), 5);
	assert_int_equal(s, 750);
	/* It only looked. */
	c.changed = false;
	park(&c, jobs, 1, true, NOW);
	assert_false(c.changed);
	park(&c, NULL, 0, true, NOW);
	assert_true(c.changed);

	/* The clock began again with the machine. */
	assert_int_equal(
		vol_park_file_load(path, OTHER, 1000, &closed, &got, &err), 0);
	assert_int_equal(closed, 1000);
	assert_int_equal(got.n, 0);
	/* Open: as if it were closed now. */
	assert_int_equal(vol_park_file_save(path, BOOT, 0, &c, &err), 0);
	assert_int_equal(
		vol_park_file_load(path, BOOT, NOW, &closed, &got, &err), 0);
	assert_int_equal(closed, NOW);
	vol_parkclock_clear(&c);
	vol_parkclock_clear(&got);
}

/* The owner has waited for long enough already. */
static void damaged(void **state)
{
	static const char *const texts[] = {
		"",
		"\n",
		BOOT,
		BOOT " 5",
		BOOT "  5\n",
		BOOT " -5\n",
		BOOT " 05\n",
		BOOT " 99999999999999999999\n",
		BOOT " 900001\n",
		"0123 5\n",
		BOOT " 5\n\n",
		BOOT " 5\n7",
		BOOT " 5\n7 1\n",
		BOOT " 5\n7 1 1",
		BOOT " 5\n0 1 1\n",
		BOOT " 5\n7 900001 0\n",
		BOOT " 5\n7 1 900001\n",
		BOOT " 5\n7 2 1\n",
		BOOT " 5\n7 1 1\n7 1 1\n",
		BOOT " 5\n4294967296 1 1\n",
	};
	const char *path = path_of(state);
	struct vol_parkclock c = {0};
	struct vol_error err;
	uint64_t closed;

	for (size_t i = 0; i < N_ELEMENTS(texts); i++) {
		assert_int_equal(vol_file_replace(path, texts[i],
						  strlen(texts[i]), 0600, 0,
						  NULL),
				 0);
		closed = 1;
		if (vol_park_file_load(path, BOOT, NOW, &closed, &c, &err) == 0)
			fail_msg("\"%s\"", texts[i]);
		assert_int_equal(errno, EINVAL);
		assert_contains(err.text, path);
		assert_int_equal(closed, 0);
		assert_int_equal(c.n, 0);
	}
	assert_int_equal(vol_file_replace(path, BOOT " 5\n7\0 1 1\n", 43, 0600,
					  0, NULL),
			 0);
	assert_int_equal(vol_park_file_load(path, BOOT, NOW, &closed, &c, &err),
			 -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(comes_back, vtest_folder_setup,
						vtest_folder_teardown),
		cmocka_unit_test_setup_teardown(damaged, vtest_folder_setup,
						vtest_folder_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
