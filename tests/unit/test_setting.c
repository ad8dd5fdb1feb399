/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_setting.c - what an owner may set, and what happens to the file */
#include "config.h"

#include "device/setting.h"

#include <errno.h>
#include <sys/stat.h>

#include "atomicfile.h"
#include "vtest.h"

static char path[PATH_MAX];

static int setup(void **state)
{
	if (vtest_folder_setup(state) < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/device.conf", (char *)*state);
	return 0;
}

static void put(const char *text)
{
	assert_int_equal(
		vol_file_replace(path, text, strlen(text), 0640, 0, NULL), 0);
}

static void expect(const char *text)
{
	char *is = vol_file_read(path, 65536, NULL, NULL);

	assert_non_null(is);
	assert_string_equal(is, text);
	free(is);
}

static void keys(void **state)
{
	static const struct {
		const char *key, *section, *found;
		int error;
	} rows[] = {
		{"idle_after", "owner", "idle_after", 0},
		{"owner.idle_after", "owner", "idle_after", 0},
		{"owners", NULL, NULL, EPERM},
		{"owner.owners", NULL, NULL, EPERM},
		{"users", "jobs", "users", 0},
		{"jobs.users", "jobs", "users", 0},
		{"memory", "share", "memory", 0},
		{"controller", NULL, NULL, EPERM},
		{"work", NULL, NULL, EPERM},
		{"sandbox", NULL, NULL, EPERM},
		{"sandbox.network", NULL, NULL, EPERM},
		{"device.state_dir", NULL, NULL, EPERM},
		{"jobs.idle_after", NULL, NULL, ENOENT},
		{"owner.", NULL, NULL, ENOENT},
		{".idle_after", NULL, NULL, ENOENT},
		{"", NULL, NULL, ENOENT},
		{"Idle_After", NULL, NULL, ENOENT},
	};
	const struct vol_conf_option *row;
	struct vol_error err;
	size_t i;

	(void)state;
	for (i = 0; i < N_ELEMENTS(rows); i++) {
		row = vol_setting_find(rows[i].key, &err);
		if (!rows[i].section) {
			assert_null(row);
			assert_int_equal(errno, rows[i].error);
			continue;
		}
		assert_non_null(row);
		assert_string_equal(row->section, rows[i].section);
		assert_string_equal(row->key, rows[i].found);
	}
	vol_setting_find("supervise", &err);
	assert_contains(err.text, "device.supervise");
	assert_contains(err.text, "administrator");
}

static void right_ones(void **state)
{
	struct stat st;

	(void)state;
	put("# mine\n[owner]\n;idle_after = 5m\non_battery = no ; never\n");
	assert_int_equal(vol_setting_apply(path, "idle_after", "2m", NULL), 0);
	assert_int_equal(vol_setting_apply(path, "on_battery", "yes", NULL), 0);
	assert_int_equal(
		vol_setting_apply(path, "jobs.users", "ann, bob", NULL), 0);
	assert_int_equal(vol_setting_apply(path, "memory", "50%", NULL), 0);
	expect("# mine\n[owner]\n;idle_after = 5m\nidle_after = 2m\n"
	       "on_battery = yes ; never\n"
	       "\n[jobs]\nusers = ann, bob\n"
	       "\n[share]\nmemory = 50%\n");
	assert_int_equal(vol_setting_apply(path, "idle_after", NULL, NULL), 0);
	assert_int_equal(vol_setting_apply(path, "users", NULL, NULL), 0);
	assert_int_equal(vol_setting_apply(path, "memory", NULL, NULL), 0);
	expect("# mine\n[owner]\n;idle_after = 5m\n"
	       "on_battery = yes ; never\n\n[jobs]\n\n[share]\n");
	/* Whoever could read it still can. */
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
}

/* Nothing of the file changes. */
static void wrong_ones(void **state)
{
	static const struct {
		const char *key, *value, *reason;
	} rows[] = {
		{"nonsense", "1", "unknown key 'nonsense'"},
		{"controller", "evil.example.org", "administrator"},
		{"sandbox", "no", "administrator"},
		{"sandbox.work", "/srv/a", "administrator"},
		{"idle_after", "5m\n[sandbox]\nsandbox = no", "control"},
		{"idle_after", "soon", "idle_after: "},
		{"idle_after", "", "idle_after: "},
		{"idle_after", "2d", "at most"},
		{"idle_after", "5m\n[device]\ncontroller = evil", "control"},
		{"reaction", "explode", "none of: freeze, throttle, evict"},
		{"hours", "whenever", "hours"},
		{"users", "ann ; bob", "comment"},
		{"owners", "all", "owners"},
		{"parked_max", "2h", "interactive_max"},
		{"cpus", "none", "cpus"},
		{"scratch_dir", "tmp", "absolute"},
	};
	static const char text[] = "[owner]\nidle_after = 1m\n";
	struct vol_error err;
	size_t i;

	put(text);
	for (i = 0; i < N_ELEMENTS(rows); i++) {
		err.text[0] = '\0';
		assert_int_equal(vol_setting_apply(path, rows[i].key,
						   rows[i].value, &err),
				 -1);
		assert_contains(err.text, rows[i].reason);
		expect(text);
	}
	assert_int_equal(vtest_count_entries(*state), 1);
}

static void odd_files(void **state)
{
	char link[PATH_MAX], target[PATH_MAX];
	struct vol_error err;
	struct stat st;

	/* An error elsewhere in the file is named with its line. */
	put("[owner]\nidle_after = 1m\nnonsense = 1\n");
	assert_int_equal(vol_setting_apply(path, "hours", "never", &err), -1);
	assert_contains(err.text, "device.conf:4: unknown key");
	/* What is behind a NUL must not be lost. */
	assert_int_equal(vol_file_replace(path, "[owner]\n\0[jobs]\n", 16, 0644,
					  0, NULL),
			 0);
	assert_int_equal(vol_setting_apply(path, "hours", "never", &err), -1);
	assert_contains(err.text, "0x00");
	/* None at all: it is made. */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(vol_setting_apply(path, "hours", NULL, &err), 0);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(vol_setting_apply(path, "hours", "never", &err), 0);
	expect("[owner]\nhours = never\n");
	/* A link stays a link. */
	snprintf(link, sizeof(link), "%s/link", (char *)*state);
	assert_int_equal(symlink("device.conf", link), 0);
	assert_int_equal(vol_setting_apply(link, "hours", "always", &err), 0);
	assert_int_equal(lstat(link, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_true(readlink(link, target, sizeof(target)) > 0);
	expect("[owner]\nhours = always\n");
}

static void list(void **state)
{
	struct vol_device_conf conf = {0};
	json_t *all;

	(void)state;
	put("[owner]\nidle_after = 90s\n[device]\ncluster = x\n");
	assert_int_equal(vol_device_conf_read(&conf, path, NULL), 0);
	all = vol_setting_list(&conf);
	assert_string_equal(
		json_string_value(json_object_get(all, "owner.idle_after")),
		"1m30s");
	assert_string_equal(
		json_string_value(json_object_get(all, "share.cpus")), "100%");
	assert_string_equal(
		json_string_value(json_object_get(all, "jobs.users")), "");
	assert_null(json_object_get(all, "device.cluster"));
	json_decref(all);
	vol_device_conf_clear(&conf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys),
		cmocka_unit_test_setup_teardown(right_ones, setup,
						vtest_folder_teardown),
		cmocka_unit_test_setup_teardown(wrong_ones, setup,
						vtest_folder_teardown),
		cmocka_unit_test_setup_teardown(odd_files, setup,
						vtest_folder_teardown),
		cmocka_unit_test_setup_teardown(list, setup,
						vtest_folder_teardown),
	};

	/* Plugins of hwloc leak, and graphics cards do not matter here. */
	setenv("HWLOC_PLUGINS_PATH", "/nowhere", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
