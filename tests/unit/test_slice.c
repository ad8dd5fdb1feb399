/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_slice.c - where jobs are and what holds there, in folders made up */
#include "config.h"

#include "device/cgroups.h"
#include "device/slice.h"

#include <errno.h>

#include "atomicfile.h"
#include "vtest.h"

#define SLURMD "/usr/sbin/slurmd%1$c-D%1$c-N%1$cn1%1$c--conf-server%1$cc:1%1$c"

static void put(const char *root, const char *path, const char *data,
		size_t len)
{
	char full[PATH_MAX], *slash;

	snprintf(full, sizeof(full), "%s%s", root, path);
	slash = strrchr(full, '/');
	*slash = '\0';
	assert_int_equal(vol_mkdir_p(full, 0755, NULL), 0);
	*slash = '/';
	assert_int_equal(vol_file_replace(full, data, len, 0644, 0, NULL), 0);
}

static void put_text(const char *root, const char *path, const char *text)
{
	put(root, path, text, strlen(text));
}

static void assert_file(const char *root, const char *path, const char *text)
{
	char full[PATH_MAX], *got;
	size_t len;

	snprintf(full, sizeof(full), "%s%s", root, path);
	got = vol_file_read(full, 4096, &len, NULL);
	assert_non_null(got);
	assert_string_equal(got, text);
	free(got);
}

static void folder(const char *root, const char *path)
{
	char full[PATH_MAX];

	snprintf(full, sizeof(full), "%s%s", root, path);
	assert_int_equal(vol_mkdir_p(full, 0755, NULL), 0);
}

/* ---- /proc ---- */

static void paths(void **state)
{
	static const struct {
		const char *text, *path; /* NULL = ENOENT */
	} rows[] = {
		{"0::/a/b\n", "/a/b"},
		{"0::/\n", "/"},
		{"9:cpu:/x\n1:name=systemd:/y\n0::/z\n", "/z"},
		{"9:cpu:/0::/x\n0::/z", "/z"},
		{"9:cpu:/x\n", NULL},
		{"", NULL},
	};
	const char *root = *state;
	struct vol_error err;
	char path[64];

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		int r;

		put_text(root, "/proc/7/cgroup", rows[i].text);
		r = vol_cgroup_path(root, "7", path, sizeof(path), &err);
		assert_int_equal(r, rows[i].path ? 0 : -1);
		if (rows[i].path)
			assert_string_equal(path, rows[i].path);
		else
			assert_int_equal(errno, ENOENT);
	}
	assert_int_equal(vol_cgroup_path(root, "8", path, sizeof(path), &err),
			 -1);
	assert_int_equal(errno, ENOENT);
	put_text(root, "/proc/7/cgroup", "0::/a/b\n");
	assert_int_equal(vol_cgroup_path(root, "7", path, 4, &err), -1);
	assert_int_equal(vol_cgroup_path(root, "7", path, 5, &err), 0);
}

#define MOUNT(root, point, type) \
	"30 20 0:25 " root " " point " rw,nosuid shared:4 - " type " x rw\n"
#define PROC MOUNT("/", "/proc", "proc")

static void mounts(void **state)
{
	static const struct {
		const char *text, *path; /* NULL = ENOENT */
	} rows[] = {
		{PROC MOUNT("/", "/sys/fs/cgroup", "cgroup2"), "/"},
		{MOUNT("/a/b", "/sys/fs/cgroup", "cgroup2") PROC, "/a/b"},
		{MOUNT("/a", "/sys/fs/cgroup", "cgroup2")
			 MOUNT("/b", "/sys/fs/cgroup", "cgroup2"),
		 "/b"},
		{"30 20 0:25 / /sys/fs/cgroup rw - cgroup2 x rw", "/"},
		{MOUNT("/", "/sys/fs/cgroup", "tmpfs")
			 MOUNT("/", "/sys/fs/cgroup/unified", "cgroup2"),
		 NULL},
		{MOUNT("/", "/sys/fs", "cgroup2"), NULL},
		{MOUNT("/", "/sys/fs/cgroup", "cgroup2x"), NULL},
		/* A dash of the next line is not ours. */
		{"30 20 0:25 / /sys/fs/cgroup rw\n" MOUNT("/", "/x", "cgroup2"),
		 NULL},
		{"30 20\n", NULL},
		{"\n\n", NULL},
		{"", NULL},
	};
	const char *root = *state;
	struct vol_error err;
	char path[64];

	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		int r;

		put_text(root, "/proc/7/mountinfo", rows[i].text);
		r = vol_cgroup_mounted(root, "7", path, sizeof(path), &err);
		assert_int_equal(r, rows[i].path ? 0 : -1);
		if (rows[i].path)
			assert_string_equal(path, rows[i].path);
		else
			assert_int_equal(errno, ENOENT);
	}
}

static void parents(void **state)
{
	static const char *const rows[][2] = {
		{"/a/b", "/a"}, {"/a", "/"}, {"/", "/"}, {"", ""}};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		char path[16];

		strcpy(path, rows[i][0]);
		vol_cgroup_parent(path);
		assert_string_equal(path, rows[i][1]);
	}
}

/* ---- where the jobs of a slurmd are ---- */

static void set_mount(const char *root, const char *pid, const char *path)
{
	char name[64], line[256];

	snprintf(name, sizeof(name), "/proc/%s/mountinfo", pid);
	snprintf(line, sizeof(line),
		 "30 20 0:25 %s /sys/fs/cgroup rw - cgroup2 x rw\n", path);
	put_text(root, name, line);
}

static void finds_the_namespace(void **state)
{
	/* What we and slurmd have mounted, and what that makes (NULL: -1). */
	static const char *const rows[][3] = {
		{"/", "/volunteer.slice/slurm-volunteer",
		 "/volunteer.slice/slurm-volunteer"},
		{"/docker/1", "/docker/1/volunteer.slice/slurm-volunteer",
		 "/volunteer.slice/slurm-volunteer"},
		{"/", "/volunteer.slice/gone.service", NULL},
		/* Somewhere else altogether. */
		{"/docker/1", "/docker/11/volunteer.slice/slurm-volunteer",
		 NULL},
		{"/docker/1", "/volunteer.slice/slurm-volunteer", NULL},
		{"/", "/../x", NULL},
	};
	const char *root = *state;
	char found[PATH_MAX], want[PATH_MAX];
	struct vol_error err;

	folder(root, "/sys/fs/cgroup/volunteer.slice/slurm-volunteer");
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		int r;

		set_mount(root, "self", rows[i][0]);
		set_mount(root, "7", rows[i][1]);
		r = vol_slice_find(root, 7, found, sizeof(found), &err);
		assert_int_equal(r, rows[i][2] ? 0 : -1);
		if (!rows[i][2]) {
			assert_int_equal(errno, ENOENT);
			continue;
		}
		snprintf(want, sizeof(want), "%s/sys/fs/cgroup%s", root,
			 rows[i][2]);
		assert_string_equal(found, want);
	}
	assert_int_equal(vol_slice_find(root, 8, found, sizeof(found), &err),
			 -1);
	assert_int_equal(errno, ENOENT);
}

static void finds_the_scope(void **state)
{
	const char *root = *state;
	char found[PATH_MAX], want[PATH_MAX], cmdline[128];
	struct vol_error err;
	int len = snprintf(cmdline, sizeof(cmdline), SLURMD, '\0');

	set_mount(root, "self", "/");
	set_mount(root, "7", "/");
	put(root, "/proc/7/cmdline", cmdline, (size_t)len);
	put_text(root, "/proc/1/cgroup", "0::/init.scope\n");
	assert_int_equal(vol_slice_find(root, 7, found, sizeof(found), &err),
			 -1);
	assert_int_equal(errno, ENOENT);
	/* That of another node is not ours. */
	folder(root, "/sys/fs/cgroup/system.slice/n11_slurmstepd.scope");
	assert_int_equal(vol_slice_find(root, 7, found, sizeof(found), &err),
			 -1);
	folder(root, "/sys/fs/cgroup/system.slice/slurmstepd.scope");
	assert_int_equal(vol_slice_find(root, 7, found, sizeof(found), &err),
			 0);
	snprintf(want, sizeof(want), "%s%s", root,
		 "/sys/fs/cgroup/system.slice/slurmstepd.scope");
	assert_string_equal(found, want);
	folder(root, "/sys/fs/cgroup/system.slice/n1_slurmstepd.scope");
	assert_int_equal(vol_slice_find(root, 7, found, sizeof(found), &err),
			 0);
	snprintf(want, sizeof(want), "%s%s", root,
		 "/sys/fs/cgroup/system.slice/n1_slurmstepd.scope");
	assert_string_equal(found, want);
	/* In a container the tree begins beside its init. */
	put_text(root, "/proc/1/cgroup", "0::/box/init.scope\n");
	folder(root, "/sys/fs/cgroup/box/system.slice/n1_slurmstepd.scope");
	assert_int_equal(vol_slice_find(root, 7, found, sizeof(found), &err),
			 0);
	snprintf(want, sizeof(want), "%s%s", root,
		 "/sys/fs/cgroup/box/system.slice/n1_slurmstepd.scope");
	assert_string_equal(found, want);
}

/* ---- what holds there ---- */

static const char *text_of(json_t *json, const char *name)
{
	return json_string_value(json_object_get(json, name));
}

static bool is_true(json_t *json, const char *name)
{
	assert_true(json_is_boolean(json_object_get(json, name)));
	return json_is_true(json_object_get(json, name));
}

static void settles(void **state)
{
	const char *root = *state;
	char path[PATH_MAX];
	json_t *json;

	snprintf(path, sizeof(path), "%s/volunteer.slice/slurm-volunteer",
		 root);
	put_text(root, "/volunteer.slice/cpu.idle", "0\n");
	put_text(root, "/volunteer.slice/io.weight", "default 5\n");
	put_text(root, "/volunteer.slice/slurm-volunteer/memory.high", "max\n");
	vol_slice_settle(path, 123456789);
	json = vol_slice_json(path);
	assert_string_equal(text_of(json, "folder"), path);
	assert_true(is_true(json, "own_slice"));
	assert_true(is_true(json, "cpu_idle"));
	assert_true(is_true(json, "io_weight"));
	assert_int_equal(
		json_integer_value(json_object_get(json, "memory_high")),
		123456789);
	assert_string_equal(text_of(json, "missing"), "");
	json_decref(json);
	assert_file(root, "/volunteer.slice/cpu.idle", "1\n");

	/* No ceiling any more. */
	vol_slice_settle(path, 0);
	json = vol_slice_json(path);
	assert_true(json_is_null(json_object_get(json, "memory_high")));
	json_decref(json);
}

static void says_what_is_missing(void **state)
{
	const char *root = *state;
	char path[PATH_MAX];
	json_t *json;

	/* No controllers at all. */
	folder(root, "/volunteer.slice/slurm-volunteer");
	snprintf(path, sizeof(path), "%s/volunteer.slice/slurm-volunteer",
		 root);
	vol_slice_settle(path, 1000);
	json = vol_slice_json(path);
	assert_true(is_true(json, "own_slice"));
	assert_false(is_true(json, "cpu_idle"));
	assert_false(is_true(json, "io_weight"));
	assert_true(json_is_null(json_object_get(json, "memory_high")));
	assert_contains(text_of(json, "missing"), "no cpu controller");
	assert_contains(text_of(json, "missing"), "no weights for input");
	json_decref(json);

	/* Not in our slice; a name that only begins like it is not ours. */
	put_text(root, "/volunteer.slices/n1.scope/cpu.idle", "0\n");
	snprintf(path, sizeof(path), "%s/volunteer.slices/n1.scope", root);
	vol_slice_settle(path, 0);
	json = vol_slice_json(path);
	assert_false(is_true(json, "own_slice"));
	assert_true(is_true(json, "cpu_idle"));
	assert_contains(text_of(json, "missing"), "not in volunteer.slice");
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(paths, vtest_folder_setup,
						vtest_folder_teardown),
		cmocka_unit_test_setup_teardown(mounts, vtest_folder_setup,
						vtest_folder_teardown),
		cmocka_unit_test(parents),
		cmocka_unit_test_setup_teardown(finds_the_namespace,
						vtest_folder_setup,
						vtest_folder_teardown),
		cmocka_unit_test_setup_teardown(finds_the_scope,
						vtest_folder_setup,
						vtest_folder_teardown),
		cmocka_unit_test_setup_teardown(settles, vtest_folder_setup,
						vtest_folder_teardown),
		cmocka_unit_test_setup_teardown(says_what_is_missing,
						vtest_folder_setup,
						vtest_folder_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
