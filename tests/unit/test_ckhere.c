/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_ckhere.c - files of this machine, as a saved job has them mapped */
#include "config.h"

#include "vtest.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "atomicfile.h"
#include "device/ckhere.h"

static void what_is_mapped_is_looked_at_below_the_root(void **state)
{
	const char *folder = *state;
	struct vol_ckroot root = {.init = "/proc/self/exe"};
	struct vol_ckmapped_file file = {.bytes = 0};
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/lib", folder);
	assert_int_equal(symlink("/../../../../bin/sh", path), 0);
	root.fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(vol_ckhere_look("/lib", &file, &root), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(vol_ckhere_look("/", &file, &root), -1);
	snprintf(path, sizeof(path), "%s/data", folder);
	close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
	assert_int_equal(truncate(path, 12345), 0);
	assert_int_equal(vol_ckhere_look("/data", &file, &root), 0);
	assert_int_equal(file.bytes, 12345);
	assert_int_equal(file.n_build, 0);
	assert_int_equal(
		vol_ckhere_look("/run/slurm-volunteer-init", &file, &root), 0);
	assert_true(file.bytes > 12345);
	close(root.fd);
}

static void make_file(const char *folder, const char *name, off_t bytes)
{
	char path[PATH_MAX];
	char *slash;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	slash = strrchr(path, '/');
	*slash = '\0';
	assert_int_equal(vol_mkdir_p(path, 0755, NULL), 0);
	*slash = '/';
	close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
	assert_int_equal(truncate(path, bytes), 0);
}

/* As places.c shows it: what the image has itself is the image's, other folders
 * that are opened besides are the machine's, and nothing else is. */
static void what_is_added_to_an_image_is_the_machines(void **state)
{
	static const struct {
		const char *path;
		uint64_t bytes; /* 0: not there */
	} rows[] = {
		{"/usr/lib/a", 1},   {"/opt/both/a", 2},    {"/opt/both/b", 0},
		{"/opt/more/a", 4},  {"/opt/more/none", 0}, {"/srv/a", 0},
		{"/opt/mores/a", 0},
	};
	struct vol_walls_list *read = calloc(1, sizeof(*read));
	struct vol_ckroot root = {.init = "/proc/self/exe", .read = read};
	char image[PATH_MAX], machine[PATH_MAX];

	assert_non_null(read);
	vol_walls_add(read, "/opt/both", NULL);
	vol_walls_add(read, "/opt/more", NULL);
	snprintf(image, sizeof(image), "%s/image", (char *)*state);
	snprintf(machine, sizeof(machine), "%s/machine", (char *)*state);
	make_file(image, "usr/lib/a", 1);
	make_file(image, "opt/both/a", 2);
	make_file(machine, "usr/lib/a", 3);
	make_file(machine, "opt/both/b", 3);
	make_file(machine, "opt/more/a", 4);
	make_file(machine, "opt/mores/a", 3);
	make_file(machine, "srv/a", 3);
	root.fd = open(image, O_PATH | O_DIRECTORY | O_CLOEXEC);
	root.machine = open(machine, O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct vol_ckmapped_file file = {.bytes = 0};
		int rc = vol_ckhere_look(rows[i].path, &file, &root);

		if (rc != (rows[i].bytes ? 0 : -1) ||
		    file.bytes != rows[i].bytes)
			fail_msg("%s: %d, %d bytes", rows[i].path, rc,
				 (int)file.bytes);
	}
	close(root.fd);
	close(root.machine);
	free(read);
}

int main(void)
{
#define IN_FOLDER(test)                                           \
	cmocka_unit_test_setup_teardown(test, vtest_folder_setup, \
					vtest_folder_teardown)
	const struct CMUnitTest tests[] = {
		IN_FOLDER(what_is_mapped_is_looked_at_below_the_root),
		IN_FOLDER(what_is_added_to_an_image_is_the_machines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
