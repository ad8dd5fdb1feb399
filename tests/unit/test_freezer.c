/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_freezer.c - the latch over the tasks of all steps, on plain files */
#include "config.h"

#include "vtest.h"

#include "device/freezer.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "cgroup_bed.h"
#include "freezer_bed.h"

/* "1100": user/, task_0, task_1, task_special of 7.0; '-' = is not there. */
static void assert_frozen(const struct bed *b, const char *want)
{
	static const char *const files[] = {"user/cgroup.freeze",
					    "user/task_0/cgroup.freeze",
					    "user/task_1/cgroup.freeze",
					    "user/task_special/cgroup.freeze"};
	char got[5] = "----";

	for (size_t i = 0; i < N_ELEMENTS(files); i++)
		if (bed_exists(b, "7.0", files[i]))
			got[i] = bed_read(b, "7.0", files[i]);
	assert_string_equal(got, want);
}

/* What happens to 7.0, one letter each: [a]dd, its plugin says that it is
 * [b]orn, [o]pen, [c]lose, [h]old and [l]et go, [0] [1] [s]pecial task folder
 * appears, [S]uspend and [R]esume by Slurm, restart ([r]) of discoveryd; after
 * it, what is frozen. */
static const struct {
	const char *moves, *frozen;
} births[] = {
	/* born while closed: user/ until all tasks are there, then they */
	{"a", "1---"},
	{"a0", "11--"},
	{"as0", "11-1"},
	{"a01", "111-"},
	{"a01b", "011-"},
	{"a01sb", "0111"},
	{"0a1b", "011-"},
	{"01b", "011-"},
	/* and then open */
	{"ao", "0---"},
	{"a0o", "00--"},
	{"a01bo", "000-"},
	{"a01ob", "000-"},
	/* born while open */
	{"oa", "0---"},
	{"oa0", "00--"},
	{"oa01b", "000-"},
	/* closed in the middle of a birth */
	{"oac", "1---"},
	{"oa0c", "11--"},
	{"oa0c1", "111-"},
	{"oa0c1b", "011-"},
	{"oa0c1bo", "000-"},
	{"oa0co1b", "000-"},
	/* back and forth */
	{"oa01bc", "011-"},
	{"oa01bco", "000-"},
	{"oa01bcoc", "011-"},
	/* Slurm's hand on user/ stays where it is */
	{"oa01bS", "100-"},
	{"oa01bSc", "111-"},
	{"oa01bSco", "100-"},
	{"oa01bcSo", "100-"},
	{"oa01bcR", "011-"},
	{"a01bSRo", "000-"},
	{"a0R", "01--"},
	{"a0R1", "111-"},
	{"a0R1b", "011-"},
	/* a Slurm that has no folder for each task */
	{"asb", "0--1"},
	{"asbo", "0--0"},
	{"oasbS", "1--0"},
	{"oasbcSo", "1--0"},
	/* a step whose processes come and go: user/ follows */
	{"as", "1--1"},
	{"aso", "0--0"},
	{"asoc", "1--1"},
	{"asoc0", "11-1"},
	{"asoc0o", "00-0"},
	{"asoSco", "1--0"},
	/* held */
	{"oa01bh", "011-"},
	{"oa01bho", "011-"},
	{"oa01bhco", "011-"},
	{"oa01bhl", "000-"},
	{"oa01bhcl", "011-"},
	{"oa01bhclo", "000-"},
	{"oah", "1---"},
	{"oah0", "11--"},
	{"oah01b", "011-"},
	/* another discoveryd starts closed and thaws nothing */
	{"oa01brb", "011-"},
	{"oa0ra", "11--"},
	{"ara01b", "011-"},
	{"a01brbo", "000-"},
};

static void move(struct vol_freezer **f, struct bed *b, char c)
{
	static const char *const folders[] = {"task_0", "task_1",
					      "task_special"};

	if (c == 'a' || c == 'b')
		assert_int_equal(add(*f, b, 7, 0, c == 'b'), 0);
	else if (c == 'o')
		vol_freezer_open(*f);
	else if (c == 'c')
		vol_freezer_close(*f);
	else if (c == 'h' || c == 'l')
		vol_freezer_hold(*f, 7, c == 'h');
	else if (c == 'S' || c == 'R')
		bed_write(b, "7.0", "user/cgroup.freeze", c == 'S' ? "1" : "0");
	else if (c == 'r') {
		vol_freezer_destroy(*f);
		*f = freezer(b);
	} else {
		bed_task(b, "7.0", folders[c == 's' ? 2 : c - '0']);
		vol_freezer_dispatch(*f, NULL);
	}
}

static void births_and_lives(void **state)
{
	for (size_t i = 0; i < N_ELEMENTS(births); i++) {
		struct bed *b = *state;
		struct vol_freezer *f = freezer(b);

		print_message("%s\n", births[i].moves);
		bed_step(b, "7.0");
		for (const char *c = births[i].moves; *c; c++)
			move(&f, b, *c);
		assert_frozen(b, births[i].frozen);
		vol_freezer_destroy(f);
		bed_remove(b, "7.0", ".");
	}
}

static void suspension_survives_a_restart(void **state)
{
	struct bed *b = *state;
	struct vol_freezer *f = freezer(b);

	if (geteuid() != 0)
		skip(); /* the mark is root's */
	bed_step(b, "7.0");
	for (const char *c = "oa01bSrbo"; *c; c++)
		move(&f, b, *c);
	assert_frozen(b, "100-");
	vol_freezer_destroy(f);
}

static uint32_t touch(struct vol_freezer *f, struct bed *b, const char *text)
{
	bed_write(b, "7.0", "user/cgroup.freeze", text);
	vol_freezer_dispatch(f, NULL);
	return vol_freezer_touched(f);
}

/* Slurm thaws what it is about to end. */
static void a_thaw_by_slurm_is_noticed(void **state)
{
	struct bed *b = *state;
	struct vol_freezer *f = freezer(b);

	bed_step(b, "7.0");
	for (const char *c = "a01b"; *c; c++)
		move(&f, b, *c);
	vol_freezer_dispatch(f, NULL);
	(void)vol_freezer_touched(f); /* the end of the birth looks alike */
	assert_int_equal(touch(f, b, "1"), 0);
	assert_int_equal(touch(f, b, "0"), 7);
	assert_int_equal(vol_freezer_touched(f), 0);
	vol_freezer_open(f);
	assert_int_equal(touch(f, b, "0"), 0);
	vol_freezer_hold(f, 7, true);
	assert_int_equal(touch(f, b, "0"), 7);
	assert_frozen(b, "011-");
	vol_freezer_destroy(f);
}

static void latch_is_closed_at_first(void **state)
{
	struct bed *b = *state;
	struct vol_freezer *f = freezer(b);

	assert_true(vol_freezer_is_closed(f));
	assert_true(vol_freezer_wait(f, 0));
	assert_int_equal(vol_freezer_open(f), 0);
	assert_false(vol_freezer_is_closed(f));
	assert_int_equal(vol_freezer_close(f), 0);
	assert_true(vol_freezer_is_closed(f));
	assert_int_equal(vol_freezer_kill(f, 0), 0);
	assert_int_equal(vol_freezer_reap(f), 0);
	assert_int_equal(vol_freezer_jobs(f, NULL, 0), 0);
	vol_freezer_remove(f, 1);
	vol_freezer_hold(f, 7, true);
	vol_freezer_destroy(f);
	vol_freezer_destroy(NULL);
}

static void what_is_missing_is_told(void **state)
{
	struct bed *b = *state;
	struct vol_error err = {""};
	struct vol_freezer *f = vol_freezer_create("/nowhere", &err);

	assert_null(f);
	assert_contains(err.text, "/nowhere");
	f = freezer(b);
	errno = 0;
	assert_int_equal(add(f, b, 7, 0, true), -1);
	assert_int_equal(errno, ENOENT);
	bed_step(b, "7.0");
	bed_remove(b, "7.0", "user/cgroup.events");
	errno = 0;
	assert_int_equal(add(f, b, 7, 0, true), -1);
	assert_int_equal(errno, ENOENT);
	vol_freezer_destroy(f);
}

static void only_the_kernels_word_counts(void **state)
{
	struct bed *b = *state;
	struct vol_freezer *f = freezer(b);

	bed_step(b, "7.0");
	bed_task(b, "7.0", "task_0");
	add(f, b, 7, 0, true);
	assert_false(vol_freezer_wait(f, 20));
	bed_write(b, "7.0", "user/task_0/cgroup.events",
		  "populated 1\nfrozen 1\n");
	assert_true(vol_freezer_wait(f, 0));
	vol_freezer_destroy(f);
}

static void found_by_its_process_first(void **state)
{
	struct bed *b = *state;
	struct vol_freezer *f = freezer(b);
	const struct vol_step unknown = {.stepd = 70};

	bed_step(b, "7.0");
	vol_freezer_open(f);
	assert_int_equal(vol_freezer_add(f, &unknown, false,
					 bed_cgroup(b, "7.0"), NULL),
			 0);
	assert_frozen(b, "0---");
	assert_int_equal(vol_freezer_jobs(f, NULL, 0), 0);
	/* The plugin comes only now. */
	bed_write(b, "7.0", "user/cgroup.freeze", "1");
	add(f, b, 7, 0, true);
	assert_frozen(b, "0---");
	assert_int_equal(vol_freezer_jobs(f, NULL, 0), 1);
	vol_freezer_destroy(f);
}

/* A slurmstepd that was killed leaves its folder, which the next run of the job
 * takes for its own. */
static void the_next_one_in_a_folder_is_born_anew(void **state)
{
	struct bed *b = *state;
	struct vol_freezer *f = freezer(b);
	struct vol_step info = {.job = 7, .stepd = 70, .born = true};

	bed_step(b, "7.0");
	bed_task(b, "7.0", "task_0");
	vol_freezer_open(f);
	assert_int_equal(vol_freezer_add(f, &info, false, bed_cgroup(b, "7.0"),
					 NULL),
			 0);
	vol_freezer_remove(f, 70);
	bed_write(b, "7.0", "user/cgroup.freeze", "1");
	info.stepd = 71;
	assert_int_equal(vol_freezer_add(f, &info, false, bed_cgroup(b, "7.0"),
					 NULL),
			 0);
	assert_frozen(b, "00--");
	/* Of one that goes on under another discoveryd it is Slurm's. */
	bed_write(b, "7.0", "user/cgroup.freeze", "1");
	vol_freezer_destroy(f);
	f = freezer(b);
	vol_freezer_open(f);
	assert_int_equal(vol_freezer_add(f, &info, false, bed_cgroup(b, "7.0"),
					 NULL),
			 0);
	assert_frozen(b, "10--");
	vol_freezer_destroy(f);
}

/* No call between add and hold in which it would run. */
static void it_may_come_held(void **state)
{
	struct bed *b = *state;
	struct vol_freezer *f = freezer(b);
	const struct vol_step info = {.job = 7, .stepd = 70, .born = true};

	bed_step(b, "7.0");
	bed_task(b, "7.0", "task_0");
	bed_write(b, "7.0", "user/cgroup.freeze", "1");
	vol_freezer_open(f);
	assert_int_equal(
		vol_freezer_add(f, &info, true, bed_cgroup(b, "7.0"), NULL), 0);
	assert_frozen(b, "01--");
	/* Its later steps, too; and what is said once is not said again. */
	bed_step(b, "7.1");
	bed_task(b, "7.1", "task_0");
	add(f, b, 7, 1, true);
	assert_int_equal(bed_read(b, "7.1", "user/task_0/cgroup.freeze"), '1');
	add(f, b, 7, 0, true);
	assert_frozen(b, "01--");
	assert_true(vol_freezer_holds(f, 7));
	assert_false(vol_freezer_holds(f, 8));
	vol_freezer_hold(f, 7, false);
	assert_false(vol_freezer_holds(f, 7));
	assert_frozen(b, "00--");
	assert_int_equal(bed_read(b, "7.1", "user/task_0/cgroup.freeze"), '0');
	vol_freezer_destroy(f);
}

static void hold_reaches_later_steps_of_the_job_only(void **state)
{
	struct bed *b = *state;
	struct vol_freezer *f = freezer(b);

	bed_step(b, "7.0");
	bed_step(b, "7.1");
	bed_step(b, "8.0");
	bed_task(b, "7.1", "task_0");
	bed_task(b, "8.0", "task_0");
	vol_freezer_open(f);
	add(f, b, 7, 0, true);
	vol_freezer_hold(f, 7, true);
	add(f, b, 7, 1, true);
	add(f, b, 8, 0, true);
	assert_int_equal(bed_read(b, "7.1", "user/task_0/cgroup.freeze"), '1');
	assert_int_equal(bed_read(b, "8.0", "user/task_0/cgroup.freeze"), '0');
	/* The job is gone, and comes back. */
	vol_freezer_remove(f, 70);
	vol_freezer_remove(f, 71);
	add(f, b, 7, 1, true);
	assert_int_equal(bed_read(b, "7.1", "user/task_0/cgroup.freeze"), '0');
	vol_freezer_destroy(f);
}

static void a_folder_may_come_again(void **state)
{
	struct bed *b = *state;
	struct vol_freezer *f = freezer(b);

	bed_step(b, "7.0");
	bed_task(b, "7.0", "task_special");
	add(f, b, 7, 0, false);
	bed_remove(b, "7.0", "user/task_special");
	bed_task(b, "7.0", "task_special");
	dispatch(f);
	assert_frozen(b, "1--1");
	vol_freezer_open(f);
	assert_frozen(b, "0--0");
	bed_remove(b, "7.0", "user/task_special");
	assert_int_equal(vol_freezer_dispatch(f, NULL), 0);
	vol_freezer_destroy(f);
}

static void without_descriptors_user_follows(void **state)
{
	struct bed *b = *state;
	struct vol_freezer *f = freezer(b);
	struct rlimit limit, none;

	bed_step(b, "7.0");
	bed_task(b, "7.0", "task_0");
	add(f, b, 7, 0, true);
	assert_frozen(b, "01--");
	bed_task(b, "7.0", "task_1");
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	errno = 0;
	assert_int_equal(vol_freezer_dispatch(f, NULL), -1);
	assert_int_equal(errno, EMFILE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_frozen(b, "110-");
	assert_int_equal(add(f, b, 7, 0, true), 0);
	assert_frozen(b, "011-");
	vol_freezer_destroy(f);
}

static void jobs_are_named_once(void **state)
{
	struct bed *b = *state;
	struct vol_freezer *f = freezer(b);
	uint32_t jobs[4] = {0};

	bed_step(b, "7.0");
	bed_step(b, "7.1");
	bed_step(b, "8.0");
	add(f, b, 7, 0, true);
	add(f, b, 7, 1, true);
	add(f, b, 8, 0, true);
	assert_int_equal(vol_freezer_jobs(f, jobs, 4), 2);
	assert_int_equal(jobs[0] + jobs[1], 15);
	jobs[1] = 0;
	assert_int_equal(vol_freezer_jobs(f, jobs, 1), 2);
	assert_int_equal(jobs[1], 0);
	vol_freezer_destroy(f);
}

static bool have_swap(void)
{
	FILE *fp = fopen("/proc/swaps", "r");
	char line[256];
	bool have = fp && fgets(line, sizeof(line), fp) &&
		    fgets(line, sizeof(line), fp);

	if (fp)
		fclose(fp);
	return have;
}

static void reclaim_says_what_is_missing(void **state)
{
	struct bed *b = *state;
	struct vol_freezer *f = freezer(b);
	struct vol_error err = {""};
	int64_t gone;

	assert_int_equal(vol_freezer_reclaim(f, 4096, NULL), 0);
	bed_step(b, "7.0");
	add(f, b, 7, 0, true);
	errno = 0;
	assert_int_equal(vol_freezer_reclaim(f, 4096, &err), -1);
	assert_int_equal(errno, ENOTSUP);
	/* Where user/ has none, the step's. */
	bed_write(b, "7.0", "memory.current", "8192\n");
	bed_write(b, "7.0", "memory.reclaim", "");
	errno = 0;
	gone = vol_freezer_reclaim(f, 4096, &err);
	if (have_swap()) {
		assert_int_equal(gone, 0);
		assert_int_equal(bed_read(b, "7.0", "memory.reclaim"), '4');
	} else {
		assert_int_equal(gone, -1);
		assert_int_equal(errno, ENOSPC);
		assert_contains(err.text, "swap");
	}
	vol_freezer_open(f);
	errno = 0;
	assert_int_equal(vol_freezer_reclaim(f, 4096, &err), -1);
	vol_freezer_destroy(f);
}

static void assert_text(const struct bed *b, const char *file, const char *want)
{
	char path[PATH_MAX + 128], got[64] = "";
	FILE *fp;

	snprintf(path, sizeof(path), "%s/%s/%s", b->root, b->top, file);
	fp = fopen(path, "r");
	assert_non_null(fp);
	assert_non_null(fgets(got, sizeof(got), fp));
	fclose(fp);
	assert_string_equal(got, want);
}

static void throttle_is_for_later_steps_too(void **state)
{
	struct bed *b = *state;
	struct vol_freezer *f = freezer(b);

	bed_step(b, "7.0");
	bed_step(b, "8.0");
	add(f, b, 7, 0, true);
	errno = 0;
	assert_int_equal(vol_freezer_throttle(f, 50, NULL), -1);
	assert_int_equal(errno, ENOTSUP);
	bed_write(b, "7.0", "cpu.max", "");
	bed_write(b, "8.0", "user/cpu.max", "");
	assert_int_equal(vol_freezer_throttle(f, 50, NULL), 0);
	assert_text(b, "7.0/cpu.max", "50000 100000");
	add(f, b, 8, 0, true);
	assert_text(b, "8.0/user/cpu.max", "50000 100000");
	bed_write(b, "7.0", "cpu.max", "");
	assert_int_equal(vol_freezer_throttle(f, 0, NULL), 0);
	assert_text(b, "7.0/cpu.max", "max 100000");
	vol_freezer_destroy(f);
}

static void status_has_all_fields(void **state)
{
	struct bed *b = *state;
	struct vol_freezer *f = freezer(b);
	const struct vol_step unknown = {.stepd = 80};
	json_t *list, *one;
	int job = 0, step = 1, uid = 0, stepd = 0, frozen = 1, tasks = 0;

	bed_step(b, "7.0");
	bed_task(b, "7.0", "task_0");
	bed_task(b, "7.0", "task_special");
	bed_step(b, "8.0");
	bed_write(b, "8.0", "memory.current", "4096\n");
	vol_freezer_add(f, &unknown, false, bed_cgroup(b, "8.0"), NULL);
	add(f, b, 7, 0, true);
	list = vol_freezer_json(f);
	assert_int_equal(json_array_size(list), 2);
	one = json_array_get(list, 0);
	assert_int_equal(json_unpack(one, "{s:i, s:i, s:i, s:i, s:b, s:i, s:n}",
				     "job", &job, "step", &step, "uid", &uid,
				     "stepd", &stepd, "frozen", &frozen,
				     "tasks", &tasks, "memory"),
			 0);
	assert_int_equal(job, 7);
	assert_int_equal(step, 0);
	assert_int_equal(uid, 1000);
	assert_int_equal(stepd, 70);
	assert_int_equal(frozen, 0);
	assert_int_equal(tasks, 2);
	one = json_array_get(list, 1);
	assert_null(json_object_get(one, "job"));
	assert_int_equal(json_integer_value(json_object_get(one, "memory")),
			 4096);
	json_decref(list);
	vol_freezer_destroy(f);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, bed_setup_fake, bed_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(births_and_lives),
		TEST(suspension_survives_a_restart),
		TEST(latch_is_closed_at_first),
		TEST(a_thaw_by_slurm_is_noticed),
		TEST(what_is_missing_is_told),
		TEST(only_the_kernels_word_counts),
		TEST(found_by_its_process_first),
		TEST(the_next_one_in_a_folder_is_born_anew),
		TEST(it_may_come_held),
		TEST(hold_reaches_later_steps_of_the_job_only),
		TEST(a_folder_may_come_again),
		TEST(without_descriptors_user_follows),
		TEST(jobs_are_named_once),
		TEST(reclaim_says_what_is_missing),
		TEST(throttle_is_for_later_steps_too),
		TEST(status_has_all_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
