/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_fence_file.c - a fence written and read, damaged, of another boot */
#include "config.h"

#include "device/fence_file.h"

#include <errno.h>

#include "atomicfile.h"
#include "vtest.h"

#define BOOT  "0123456789abcdef0123456789abcdef"
#define OTHER "0123456789abcdef0123456789abcdee"

static char *path_of(void **state)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/fence", (char *)*state);
	return path;
}

static void comes_back(void **state)
{
	struct vol_fence f = {true, 123456789, 15000}, got;
	const char *path = path_of(state);
	struct vol_error err;

	assert_int_equal(vol_fence_file_load(path, BOOT, 200000000, &got, &err),
			 0);
	assert_false(got.armed);
	assert_int_equal(vol_fence_file_save(path, BOOT, &f, &err), 0);
	assert_int_equal(vol_fence_file_load(path, BOOT, 200000000, &got, &err),
			 0);
	assert_true(got.armed);
	assert_int_equal(got.acked_ms, 123456789);
	assert_int_equal(got.lease_ms, 15000);
	/* The clock began again with the machine. */
	got.armed = true;
	assert_int_equal(
		vol_fence_file_load(path, OTHER, 200000000, &got, &err), 0);
	assert_false(got.armed);
	/* Nobody has heard us in the future. */
	assert_int_equal(vol_fence_file_load(path, BOOT, 123456788, &got, &err),
			 -1);
	assert_int_equal(errno, EINVAL);
	assert_false(got.armed);
}

static void damaged(void **state)
{
	static const char *const texts[] = {
		"",
		"\n",
		BOOT " 5\n",
		BOOT " 5 15000",
		BOOT " 5 15000\n\n",
		BOOT " 5 15000 1\n",
		BOOT "  5 15000\n",
		BOOT " -5 15000\n",
		BOOT " 05 15000\n",
		BOOT " 5 99999999999\n",
		BOOT " 99999999999999999999 15000\n",
		BOOT BOOT BOOT BOOT BOOT " 5 15000\n",
	};
	const char *path = path_of(state);

	for (size_t i = 0; i < N_ELEMENTS(texts); i++) {
		struct vol_fence got = {.armed = true};
		struct vol_error err;

		assert_int_equal(vol_file_replace(path, texts[i],
						  strlen(texts[i]), 0600, 0,
						  NULL),
				 0);
		assert_int_equal(
			vol_fence_file_load(path, BOOT, 100, &got, &err), -1);
		assert_contains(err.text, path);
		assert_false(got.armed);
	}
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
