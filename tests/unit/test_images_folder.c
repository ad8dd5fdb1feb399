/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_images_folder.c - the controller keeps images in the folder of before */
#include "config.h"

#include "images.h"
#include "images_private.h"

#include "images_bed.h"

static int check_store(struct bed *bed, struct vol_error *err)
{
	struct vol_controller *role = bed->role;

	return vol_images_check_store(role->images, err);
}

/* Its disk is not mounted: what is there instead is no store, and stays as it
 * is, until somebody says that it is one. */
static void an_empty_folder_is_not_the_store(void **state)
{
	struct bed *bed = *state;
	char path[PATH_MAX - 8], aside[PATH_MAX], key[PATH_MAX], note[PATH_MAX];
	struct vol_error err;

	snprintf(path, sizeof(path), "%s/checkpoints", bed->folder);
	snprintf(aside, sizeof(aside), "%s.aside", path);
	snprintf(key, sizeof(key), "%s/key", path);
	snprintf(note, sizeof(note), "%s/checkpoint_dir", bed->folder);
	assert_int_equal(rename(path, aside), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	restart(bed);
	assert_int_equal(check_store(bed, &err), -1);
	assert_int_equal(errno, ENODEV);
	assert_contains(err.text, "the key of its images is gone");
	assert_int_equal(access(key, F_OK), -1);
	assert_int_equal(rmdir(path), 0);
	restart(bed);
	assert_int_equal(check_store(bed, &err), -1);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(rename(aside, path), 0);
	restart(bed);
	assert_int_equal(check_store(bed, &err), 0);
	/* He wants a new one. */
	assert_int_equal(rename(path, aside), 0);
	assert_int_equal(unlink(note), 0);
	restart(bed);
	assert_int_equal(check_store(bed, &err), 0);
	assert_int_equal(access(key, F_OK), 0);
	assert_int_equal(access(note, F_OK), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			an_empty_folder_is_not_the_store, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
