/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_freezer_kernel.c - the latch over real tasks, in the kernel's cgroups */
#include "config.h"

#include "vtest.h"

#include "device/freezer.h"

#include <signal.h>
#include <sys/wait.h>

#include "cgroup_bed.h"
#include "freezer_bed.h"

static const char *no_real; /* why there are no real cgroups */

static void start_step(struct bed *b, const char *step, int busy, int forks)
{
	char folder[32];

	bed_step(b, step);
	for (int i = 0; i < busy + forks; i++) {
		snprintf(folder, sizeof(folder), "task_%d", i);
		bed_task(b, step, folder);
		bed_spawn(b, step, folder, i < busy ? BED_BUSY : BED_FORKS);
	}
}

static void really_parks(void **state)
{
	static const int sizes[] = {1, 8, 64};
	struct bed *b = *state;

	for (size_t i = 0; i < N_ELEMENTS(sizes); i++) {
		struct vol_freezer *f = freezer(b);

		start_step(b, "7.0", sizes[i], 1);
		assert_int_equal(add(f, b, 7, 0, true), 0);
		assert_true(vol_freezer_wait(f, 10000));
		assert_true(bed_stands(b));
		assert_int_equal(vol_freezer_open(f), sizes[i] + 1);
		assert_true(bed_runs(b, 0));
		assert_int_equal(vol_freezer_close(f), sizes[i] + 1);
		assert_true(vol_freezer_wait(f, 10000));
		assert_true(bed_stands(b));
		assert_int_equal(vol_freezer_kill(f, 7), 1);
		for (int p = 0; p <= sizes[i]; p++)
			assert_true(waitpid(-1, NULL, 0) > 0);
		vol_freezer_destroy(f);
		b->n_procs = 0;
		bed_remove(b, "7.0", ".");
	}
}

static void slurms_thaw_lets_nothing_run(void **state)
{
	struct bed *b = *state;
	struct vol_freezer *f = freezer(b);

	start_step(b, "7.0", 2, 0);
	add(f, b, 7, 0, true);
	assert_true(vol_freezer_wait(f, 10000));
	assert_int_equal(bed_read(b, "7.0", "user/cgroup.freeze"), '0');
	bed_write(b, "7.0", "user/cgroup.freeze", "0");
	assert_true(bed_stands(b));
	bed_write(b, "7.0", "user/cgroup.freeze", "1");
	bed_write(b, "7.0", "user/cgroup.freeze", "0");
	assert_true(bed_stands(b));
	vol_freezer_destroy(f);
}

static void suspended_by_slurm_stays_so(void **state)
{
	struct bed *b = *state;
	struct vol_freezer *f = freezer(b);

	start_step(b, "7.0", 1, 0);
	add(f, b, 7, 0, true);
	vol_freezer_open(f);
	assert_true(bed_runs(b, 0));
	vol_freezer_close(f);
	bed_write(b, "7.0", "user/cgroup.freeze", "1");
	vol_freezer_open(f);
	assert_true(bed_stands(b));
	/* And over a restart. */
	vol_freezer_destroy(f);
	f = freezer(b);
	add(f, b, 7, 0, true);
	vol_freezer_open(f);
	assert_true(bed_stands(b));
	bed_write(b, "7.0", "user/cgroup.freeze", "0");
	assert_true(bed_runs(b, 0));
	vol_freezer_destroy(f);
}

static void born_frozen_runs_only_when_open(void **state)
{
	struct bed *b = *state;
	struct vol_freezer *f = freezer(b);

	bed_step(b, "7.0");
	bed_task(b, "7.0", "task_special");
	bed_spawn(b, "7.0", "task_special", BED_BUSY);
	assert_true(bed_stands(b));
	add(f, b, 7, 0, false);
	/* Slurm moves a task on before it starts it. */
	bed_task(b, "7.0", "task_0");
	bed_spawn(b, "7.0", "task_0", BED_BUSY);
	dispatch(f);
	assert_true(bed_stands(b));
	add(f, b, 7, 0, true);
	assert_int_equal(bed_read(b, "7.0", "user/cgroup.freeze"), '0');
	assert_true(bed_stands(b));
	assert_true(vol_freezer_wait(f, 10000));
	vol_freezer_open(f);
	assert_true(bed_runs(b, 0));
	assert_true(bed_runs(b, 1));
	vol_freezer_destroy(f);
}

static void hold_keeps_one_job_still(void **state)
{
	struct bed *b = *state;
	struct vol_freezer *f = freezer(b);

	start_step(b, "7.0", 1, 0);
	start_step(b, "8.0", 1, 0);
	add(f, b, 7, 0, true);
	add(f, b, 8, 0, true);
	vol_freezer_hold(f, 7, true);
	vol_freezer_open(f);
	assert_true(bed_stands_one(b, 0));
	assert_true(bed_runs(b, 1));
	vol_freezer_hold(f, 7, false);
	assert_true(bed_runs(b, 0));
	vol_freezer_destroy(f);
}

static void scancel_ends_what_is_parked(void **state)
{
	struct bed *b = *state;
	struct vol_freezer *f = freezer(b);
	/* Slurm signals the children of its slurmstepd. */
	const struct vol_step info = {
		.job = 7, .stepd = getpid(), .born = true};
	uint64_t ticks;
	pid_t pid;

	bed_step(b, "7.0");
	bed_task(b, "7.0", "task_0");
	pid = bed_spawn(b, "7.0", "task_0", BED_CATCHES);
	vol_freezer_add(f, &info, false, bed_cgroup(b, "7.0"), NULL);
	vol_freezer_open(f);
	assert_true(bed_runs(b, 0));
	vol_freezer_close(f);
	assert_true(vol_freezer_wait(f, 10000));
	ticks = b->ticks[0];
	kill(pid, SIGTSTP);
	kill(pid, SIGCONT);
	assert_int_equal(vol_freezer_reap(f), 0);
	bed_write(b, "7.0", "user/cgroup.freeze", "0");
	kill(pid, SIGTERM);
	assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
	assert_int_equal(vol_freezer_reap(f), 1);
	assert_true(bed_ends(pid));
	assert_int_equal(b->ticks[0], ticks);
	vol_freezer_destroy(f);
}

static int setup_real(void **state)
{
	return no_real ? 0 : bed_setup_real(state);
}

static int teardown_real(void **state)
{
	return no_real ? 0 : bed_teardown(state);
}

#define REAL(f)                                                          \
	static void real_##f(void **state)                               \
	{                                                                \
		if (no_real) {                                           \
			print_message("no real cgroups: %s\n", no_real); \
			skip();                                          \
		}                                                        \
		f(state);                                                \
	}

REAL(really_parks)
REAL(slurms_thaw_lets_nothing_run)
REAL(suspended_by_slurm_stays_so)
REAL(born_frozen_runs_only_when_open)
REAL(hold_keeps_one_job_still)
REAL(scancel_ends_what_is_parked)

#define TEST_REAL(f) \
	cmocka_unit_test_setup_teardown(real_##f, setup_real, teardown_real)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_REAL(really_parks),
		TEST_REAL(slurms_thaw_lets_nothing_run),
		TEST_REAL(suspended_by_slurm_stays_so),
		TEST_REAL(born_frozen_runs_only_when_open),
		TEST_REAL(hold_keeps_one_job_still),
		TEST_REAL(scancel_ends_what_is_parked),
	};

	no_real = bed_mount();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
