/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_tree.c - a folder goes with all that is in it, and with nothing else */
#include "config.h"

#include "tree.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "atomicfile.h"
#include "vtest.h"

static void all_of_it_goes(void **state)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/a/b/c", (char *)*state);
	assert_int_equal(vol_mkdir_p(path, 0700, NULL), 0);
	snprintf(path, sizeof(path), "%s/a/b/file", (char *)*state);
	assert_int_equal(vol_file_replace(path, "x", 1, 0400, 0, NULL), 0);
	snprintf(path, sizeof(path), "%s/kept", (char *)*state);
	assert_int_equal(vol_file_replace(path, "x", 1, 0600, 0, NULL), 0);
	snprintf(path, sizeof(path), "%s/a/link", (char *)*state);
	assert_int_equal(symlink(*state, path), 0);
	snprintf(path, sizeof(path), "%s/a", (char *)*state);
	assert_int_equal(vol_tree_remove(path, NULL), 0);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(vtest_count_entries(*state), 1);
	/* Once more is no error. */
	assert_int_equal(vol_tree_remove(path, NULL), 0);
}

static void what_can_not_go_is_named(void **state)
{
	struct vol_error err = {""};

	(void)state;
	assert_int_equal(vol_tree_remove("/proc/self", &err), -1);
	assert_contains(err.text, "/proc/self: cannot remove: ");
}

#define TEST(f)                                                \
	cmocka_unit_test_setup_teardown(f, vtest_folder_setup, \
					vtest_folder_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_of_it_goes),
		TEST(what_can_not_go_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
