/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_pause.c - the owner's pause over restarts, and what damages it */
#include "config.h"

#include "device/pause.h"

#include <errno.h>
#include <sys/stat.h>

#include "vtest.h"

static void write_file(const char *folder, const char *text)
{
	char path[PATH_MAX];
	FILE *f;

	snprintf(path, sizeof(path), "%s/paused", folder);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void no_file(void **state)
{
	struct vol_pause pause = {.on = true, .until = 5};

	assert_int_equal(vol_pause_load(*state, &pause, NULL), 0);
	assert_false(pause.on);
	assert_int_equal(pause.until, 0);
	/* Not even a folder: a first start. */
	assert_int_equal(vol_pause_load("/nowhere/at/all", &pause, NULL), 0);
	assert_false(pause.on);
}

static void comes_back(void **state)
{
	static const time_t untils[] = {0, 1, 1763724000, 253402300799};
	struct vol_pause pause, again;
	struct vol_error err;
	size_t i;

	for (i = 0; i < N_ELEMENTS(untils); i++) {
		pause = (struct vol_pause){.on = true, .until = untils[i]};
		assert_int_equal(vol_pause_save(*state, &pause, &err), 0);
		assert_int_equal(vol_pause_load(*state, &again, &err), 0);
		assert_true(again.on);
		assert_int_equal(again.until, untils[i]);
	}
	pause.on = false;
	assert_int_equal(vol_pause_save(*state, &pause, &err), 0);
	assert_int_equal(vtest_count_entries(*state), 0);
	/* Resumed twice. */
	assert_int_equal(vol_pause_save(*state, &pause, &err), 0);
	assert_int_equal(vol_pause_load(*state, &again, &err), 0);
	assert_false(again.on);
}

/* When in doubt the owner wins. */
static void damaged(void **state)
{
	static const char *const texts[] = {
		"",
		"\n",
		"-1\n",
		"soon\n",
		"12 13\n",
		"0x10\n",
		" 12\n",
		"12\n\n",
		"99999999999999999999\n",
		"1763724000 and then sixty-four bytes of something else, and on",
		"1763724000 and then more than sixty-four bytes, which is a lot",
	};
	struct vol_pause pause;
	struct vol_error err;
	size_t i;

	for (i = 0; i < N_ELEMENTS(texts); i++) {
		write_file(*state, texts[i]);
		pause = (struct vol_pause){.until = 7};
		assert_int_equal(vol_pause_load(*state, &pause, &err), -1);
		assert_contains(err.text, "/paused");
		assert_true(pause.on);
		assert_int_equal(pause.until, 0);
	}
	/* A newline is not asked for. */
	write_file(*state, "12");
	assert_int_equal(vol_pause_load(*state, &pause, &err), 0);
	assert_int_equal(pause.until, 12);
}

static void can_not_be_read(void **state)
{
	struct vol_pause pause = {0};
	struct vol_error err;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/paused", (char *)*state);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(vol_pause_load(*state, &pause, &err), -1);
	assert_true(pause.on);
	assert_int_equal(rmdir(path), 0);
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	pause.on = false;
	assert_int_equal(vol_pause_load(path, &pause, &err), -1);
	assert_true(pause.on);
	assert_int_equal(vol_pause_save("/nowhere/at/all", &pause, &err), -1);
	assert_contains(err.text, "/nowhere");
}

static void over(void **state)
{
	static const struct {
		struct vol_pause pause;
		time_t now;
		bool over, on;
	} rows[] = {
		{{false, 0}, 100, false, false},
		{{true, 0}, 100, false, true}, /* until resumed */
		{{true, 101}, 100, false, true},
		{{true, 100}, 100, true, false},
		{{true, 99}, 100, true, false},
		{{true, 99}, 0, false, true}, /* a clock that lost its time */
	};
	struct vol_pause pause;
	size_t i;

	(void)state;
	for (i = 0; i < N_ELEMENTS(rows); i++) {
		pause = rows[i].pause;
		assert_int_equal(vol_pause_over(&pause, rows[i].now),
				 rows[i].over);
		assert_int_equal(pause.on, rows[i].on);
		if (rows[i].over)
			assert_int_equal(pause.until, 0);
	}
}

#define WITH_FOLDER(test)                                         \
	cmocka_unit_test_setup_teardown(test, vtest_folder_setup, \
					vtest_folder_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FOLDER(no_file),   WITH_FOLDER(comes_back),
		WITH_FOLDER(damaged),   WITH_FOLDER(can_not_be_read),
		cmocka_unit_test(over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
