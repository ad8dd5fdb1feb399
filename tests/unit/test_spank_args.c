/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_spank_args.c - plugstack arguments and the line of --volunteer-info */
#include "config.h"

#include <errno.h>

#include "vtest.h"

#include "plugins/spank/plugin.h"

static void defaults_hold_without_arguments(void **state)
{
	struct vol_spank_args args;

	(void)state;
	vol_spank_args_defaults(&args);
	assert_int_equal(vol_spank_args_parse(0, NULL, &args, NULL), 0);
	assert_string_equal(args.run_dir, "/run/slurm-volunteer");
	assert_false(args.info);
}

static void right_arguments_are_taken(void **state)
{
	char *av[] = {"info=yes", "run_dir=/run/other"};
	struct vol_spank_args args;

	(void)state;
	vol_spank_args_defaults(&args);
	assert_int_equal(vol_spank_args_parse(2, av, &args, NULL), 0);
	assert_string_equal(args.run_dir, "/run/other");
	assert_true(args.info);
	assert_int_equal(
		vol_spank_args_parse(1, (char *[]){"info=no"}, &args, NULL), 0);
	assert_false(args.info);
}

static void wrong_arguments_change_nothing(void **state)
{
	char longest[VOL_SPANK_DIR_SIZE + 16];
	const struct {
		char *first, *word, *reason;
	} cases[] = {
		{"run_dir=/x", "", "not key=value"},
		{"run_dir=/x", "info", "not key=value"},
		{"run_dir=/x", "=", "unknown argument"},
		{"run_dir=/x", "=yes", "unknown argument"},
		{"run_dir=/x", "inf=yes", "inf: unknown argument"},
		{"run_dir=/x", "infos=yes", "infos: unknown argument"},
		{"run_dir=/x", "INFO=yes", "unknown argument"},
		{"run_dir=/x", "info=", "neither yes nor no"},
		{"run_dir=/x", "info=1", "info=1: neither yes nor no"},
		{"run_dir=/x", "info=yes ", "neither yes nor no"},
		{"info=yes", "info=no", "info: given twice"},
		{"info=yes", "run_dir=", "not an absolute path"},
		{"info=yes", "run_dir=run",
		 "run_dir=run: not an absolute path"},
		{"info=yes", longest, "longer than 255 bytes"},
	};

	(void)state;
	memset(longest, 'x', sizeof(longest));
	memcpy(longest, "run_dir=/", 9);
	longest[8 + VOL_SPANK_DIR_SIZE] = '\0';
	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		char *av[] = {cases[i].first, cases[i].word};
		struct vol_spank_args args, before;
		struct vol_error err = {""};

		memset(&args, 0, sizeof(args));
		vol_spank_args_defaults(&args);
		before = args;
		errno = 0;
		assert_int_equal(vol_spank_args_parse(2, av, &args, &err), -1);
		assert_int_not_equal(errno, 0);
		assert_contains(err.text, "plugstack argument");
		assert_contains(err.text, cases[i].reason);
		assert_int_equal(args.info, before.info);
		assert_string_equal(args.run_dir, before.run_dir);
	}
}

static void longest_folder_fits(void **state)
{
	char word[VOL_SPANK_DIR_SIZE + 16];
	struct vol_spank_args args;
	char *av[] = {word};

	(void)state;
	memset(word, 'x', sizeof(word));
	memcpy(word, "run_dir=/", 9);
	word[8 + VOL_SPANK_DIR_SIZE - 1] = '\0';
	vol_spank_args_defaults(&args);
	assert_int_equal(vol_spank_args_parse(1, av, &args, NULL), 0);
	assert_int_equal(strlen(args.run_dir), VOL_SPANK_DIR_SIZE - 1);
}

#define NONE 0xfffffffe

static const struct vol_spank_info base = {
	.job = 7,
	.array_task = NONE,
	.cpus = 1,
	.device = "lab-7",
	.cgroup = "",
};

static void assert_line(const struct vol_spank_info *info, const char *want)
{
	char line[256];
	size_t len = vol_spank_info_format(info, line, sizeof(line));

	assert_string_equal(line, want);
	assert_int_equal(len, strlen(want));
}

static void info_tells_what_was_granted(void **state)
{
	struct vol_spank_info info = base;

	(void)state;
	assert_line(&info, "volunteer: step 7.0 on device lab-7: 1 cpu, "
			   "memory not limited\n");
	info.step = 4294967291;
	info.array_job = 6;
	info.array_task = 3;
	info.cpus = 4;
	info.cores = "0-3";
	info.memory_mb = 512;
	info.restarts = 2;
	info.cgroup = "/a/job_7/step_batch";
	assert_line(&info,
		    "volunteer: step 7.batch (array 6_3) on device lab-7: 4 "
		    "cpus (cores 0-3), 512 MB of memory, restart 2, cgroup "
		    "/a/job_7/step_batch\n");
}

static void info_names_special_steps(void **state)
{
	struct vol_spank_info info = base;

	(void)state;
	info.device = "";
	info.step = 4294967290;
	assert_line(&info, "volunteer: step 7.interactive does not run on a "
			   "volunteer device\n");
	info.step = 4294967292;
	assert_line(&info, "volunteer: step 7.extern does not run on a "
			   "volunteer device\n");
	/* Older Slurm gives the job itself as the array of a plain job. */
	info.step = 41;
	info.array_job = 7;
	assert_line(&info, "volunteer: step 7.41 does not run on a volunteer "
			   "device\n");
}

static void info_stays_one_line_when_cut(void **state)
{
	char cgroup[1024], line[80];
	struct vol_spank_info info = base;

	(void)state;
	memset(cgroup, 'c', sizeof(cgroup) - 1);
	cgroup[sizeof(cgroup) - 1] = '\0';
	info.cgroup = cgroup;
	for (size_t size = 2; size <= sizeof(line); size++) {
		size_t len = vol_spank_info_format(&info, line, size);

		assert_int_equal(len, size - 1);
		assert_int_equal(strlen(line), len);
		assert_ptr_equal(strchr(line, '\n'), line + len - 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_hold_without_arguments),
		cmocka_unit_test(right_arguments_are_taken),
		cmocka_unit_test(wrong_arguments_change_nothing),
		cmocka_unit_test(longest_folder_fits),
		cmocka_unit_test(info_tells_what_was_granted),
		cmocka_unit_test(info_names_special_steps),
		cmocka_unit_test(info_stays_one_line_when_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
