/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_freezer_end.c - tasks that are frozen come to their end */
#include "config.h"

#include "vtest.h"

#include "device/freezer.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "cgroup_bed.h"
#include "freezer_bed.h"
#include "stepwaits.h"

static void kill_writes_or_signals(void **state)
{
	struct bed *b = *state;
	struct vol_freezer *f = freezer(b);
	pid_t pid;

	bed_step(b, "7.0");
	bed_step(b, "8.0");
	bed_remove(b, "8.0", "user/cgroup.kill");
	bed_task(b, "8.0", "task_0");
	pid = bed_spawn(b, "8.0", "task_0", BED_WAITS);
	add(f, b, 7, 0, true);
	add(f, b, 8, 0, true);
	assert_int_equal(vol_freezer_kill(f, 9), 0);
	assert_int_equal(vol_freezer_kill(f, 7), 1);
	assert_int_equal(bed_read(b, "7.0", "user/cgroup.kill"), '1');
	assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
	assert_int_equal(vol_freezer_kill(f, 0), 2);
	assert_true(bed_ends(pid));
	vol_freezer_destroy(f);
}

static void add_script(struct vol_freezer *f, const struct bed *b,
		       const char *step, pid_t stepd)
{
	const struct vol_step info = {
		.job = 7, .step = VOL_STEP_BATCH, .stepd = stepd, .born = true};

	assert_int_equal(
		vol_freezer_add(f, &info, false, bed_cgroup(b, step), NULL), 0);
}

static bool mark(const struct bed *b, const char *step)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s/%s/user", b->root, b->top, step);
	return setxattr(path, VOL_STEP_WAITS, "1", 1, 0) == 0;
}

static void nothing_of_it_had_run(void **state)
{
	struct bed *b = *state;
	struct vol_freezer *f = freezer(b);

	bed_step(b, "7.0");
	bed_step(b, "7.1");
	bed_step(b, "8.0");
	if (!mark(b, "7.0")) {
		print_message(VOL_STEP_WAITS ": %s\n", strerror(errno));
		skip();
	}
	add(f, b, 8, 0, true);
	assert_false(vol_freezer_unbegun(f, 7));
	add_script(f, b, "7.0", 1);
	assert_false(vol_freezer_unbegun(f, 8));
	assert_true(vol_freezer_unbegun(f, 7));
	/* Said once. */
	assert_false(vol_freezer_unbegun(f, 7));
	/* One that runs, beside what is left of one that never did. */
	assert_true(mark(b, "7.0"));
	add_script(f, b, "7.1", 2);
	assert_false(vol_freezer_unbegun(f, 7));
	vol_freezer_destroy(f);
}

static const struct {
	int signal;
	bool ends;
} pending[] = {
	{SIGTERM, true},  {SIGXCPU, true},  {SIGTSTP, false}, {SIGCONT, false},
	{SIGUSR1, false}, {SIGCHLD, false}, {SIGINT, false},
};

/* A step whose slurmstepd we are. */
static void add_own(struct vol_freezer *f, const struct bed *b)
{
	const struct vol_step info = {
		.job = 7, .stepd = getpid(), .born = true};

	assert_int_equal(vol_freezer_add(f, &info, false, bed_cgroup(b, "7.0"),
					 NULL),
			 0);
}

static pid_t spawn_deaf(struct bed *b, const char *folder)
{
	char file[64], text[16];
	int ready[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGTERM, SIG_IGN);
		(void)!write(ready[1], "x", 1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	close(ready[1]);
	snprintf(file, sizeof(file), "user/%s/cgroup.procs", folder);
	snprintf(text, sizeof(text), "%d\n", (int)pid);
	bed_write(b, "7.0", file, text);
	return pid;
}

/* Slurm ends all tasks of a step; a job may end one of its own. */
static void reap_leaves_a_jobs_own_signals(void **state)
{
	struct bed *b = *state;
	struct vol_freezer *f = freezer(b);
	pid_t one, other, deaf;

	bed_step(b, "7.0");
	bed_task(b, "7.0", "task_0");
	bed_task(b, "7.0", "task_1");
	bed_task(b, "7.0", "task_2");
	one = bed_spawn(b, "7.0", "task_0", BED_WAITS);
	other = bed_spawn(b, "7.0", "task_1", BED_WAITS);
	deaf = spawn_deaf(b, "task_2");
	add_own(f, b);
	kill(one, SIGTERM);
	assert_int_equal(vol_freezer_reap(f), 0);
	kill(deaf, SIGTERM);
	assert_int_equal(vol_freezer_reap(f), 0);
	kill(other, SIGTERM);
	assert_int_equal(vol_freezer_reap(f), 1);
	vol_freezer_destroy(f);
	/* Not a task, but a process that a task has started. */
	f = freezer(b);
	add(f, b, 7, 0, true);
	assert_int_equal(vol_freezer_reap(f), 0);
	vol_freezer_destroy(f);
	kill(deaf, SIGKILL);
	assert_true(bed_ends(deaf));
}

static void reap_looks_for_deadly_signals(void **state)
{
	struct bed *b = *state;

	bed_step(b, "7.0");
	bed_task(b, "7.0", "task_0");
	for (size_t i = 0; i < N_ELEMENTS(pending); i++) {
		struct vol_freezer *f = freezer(b);
		pid_t pid = bed_spawn(b, "7.0", "task_0", BED_WAITS);

		print_message("signal %d\n", pending[i].signal);
		bed_write(b, "7.0", "user/cgroup.kill", "-");
		add_own(f, b);
		assert_int_equal(vol_freezer_reap(f), 0);
		kill(pid, pending[i].signal);
		assert_int_equal(vol_freezer_reap(f), pending[i].ends);
		assert_int_equal(bed_read(b, "7.0", "user/cgroup.kill"),
				 pending[i].ends ? '1' : '-');
		/* Whoever runs looks after himself. */
		vol_freezer_open(f);
		assert_int_equal(vol_freezer_reap(f), 0);
		kill(pid, SIGKILL);
		assert_true(bed_ends(pid));
		vol_freezer_destroy(f);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, bed_setup_fake, bed_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(kill_writes_or_signals),
		TEST(nothing_of_it_had_run),
		TEST(reap_looks_for_deadly_signals),
		TEST(reap_leaves_a_jobs_own_signals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
