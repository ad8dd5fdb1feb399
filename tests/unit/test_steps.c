/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_steps.c - the steps that live here, and what can not be seen of them */
#include "config.h"

#include "vtest.h"

#include "device/steps.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "atomicfile.h"
#include "saver_bed.h"

#define BATCH 0xfffffffb

static sd_event *loop;
static unsigned changes;

static void on_change(void *arg)
{
	(void)arg;
	changes++;
}

static int setup(void **state)
{
	return sd_event_new(&loop) < 0 ? -1 : vtest_folder_setup(state);
}

static int teardown(void **state)
{
	loop = sd_event_unref(loop);
	return vtest_folder_teardown(state);
}

static void end_stepd(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void write_step(const char *dir, uint32_t job, uint32_t step, pid_t pid)
{
	const struct vol_step s = {.job = job,
				   .step = step,
				   .uid = 1000,
				   .stepd = pid,
				   .cgroup = "/a/b",
				   .tasks = 1,
				   .born = true,
				   .account = "physics",
				   .save = step == BATCH,
				   .restarts = job};
	char path[PATH_MAX], text[VOL_STEPFILE_MAX];
	int len = vol_step_format(&s, text, sizeof(text));

	snprintf(path, sizeof(path), "%s/%u.%u", dir, job, step);
	assert_int_equal(
		vol_file_replace(path, text, (size_t)len, 0644, 0, NULL), 0);
}

static struct vol_steps *create(const char *dir)
{
	struct vol_error err = {""};
	struct vol_steps *s =
		vol_steps_create(loop, dir, NULL, on_change, NULL, &err);

	if (!s)
		fail_msg("%s", err.text);
	return s;
}

/* Until there are n steps with a file, or 10 s. */
static void count_one(const struct vol_step *step, void *arg)
{
	assert_int_equal(step->uid, 1000);
	assert_string_equal(step->account, "physics");
	(*(unsigned *)arg)++;
}

static unsigned count(const struct vol_steps *s)
{
	unsigned n = 0;

	vol_steps_each(s, count_one, &n);
	return n;
}

static void run_until(const struct vol_steps *s, unsigned n)
{
	for (int i = 0; i < 1000 && count(s) != n; i++)
		sd_event_run(loop, 10000);
	assert_int_equal(count(s), n);
}

static uint32_t killed;

static void on_killed(uint32_t job, void *arg)
{
	(void)arg;
	killed = job;
}

static void steps_come_and_go(void **state)
{
	struct vol_steps *s = create(*state);
	pid_t pid = start_stepd();

	write_step(*state, 7, 0, pid);
	run_until(s, 1);
	assert_true(vol_steps_busy(s));
	assert_true(vol_steps_interactive_only(s));
	vol_steps_on_killed(s, on_killed);
	changes = 0;
	end_stepd(pid);
	run_until(s, 0);
	assert_int_equal(changes, 1);
	/* slurmstepd was killed: nobody else removes its file. */
	assert_int_equal(vtest_count_entries(*state), 0);
	assert_int_equal(killed, 7);
	vol_steps_destroy(s);
}

static void one_that_ends_by_itself_was_not_killed(void **state)
{
	struct vol_steps *s = create(*state);
	pid_t pid = start_stepd();
	char path[PATH_MAX];

	vol_steps_on_killed(s, on_killed);
	write_step(*state, 7, 0, pid);
	run_until(s, 1);
	killed = 0;
	/* As the plugin does. */
	snprintf(path, sizeof(path), "%s/7.0", (const char *)*state);
	assert_int_equal(unlink(path), 0);
	end_stepd(pid);
	run_until(s, 0);
	assert_int_equal(killed, 0);
	vol_steps_destroy(s);
}

static bool doubt(const struct vol_step *step, void *arg)
{
	assert_int_equal(step->job, 7);
	assert_string_equal(step->account, "physics");
	/* Before anybody hears that it is here. */
	assert_int_equal(changes, 0);
	(*(unsigned *)arg)++;
	return true;
}

static void steps_are_judged_first(void **state)
{
	struct vol_steps *s = create(*state);
	pid_t pid = start_stepd();
	unsigned judged = 0;

	vol_steps_judge(s, doubt, &judged);
	changes = 0;
	write_step(*state, 7, 0, pid);
	run_until(s, 1);
	assert_int_equal(judged, 1);
	vol_steps_judge(s, NULL, NULL);
	end_stepd(pid);
	run_until(s, 0);
	vol_steps_destroy(s);
}

/* The batch steps here want to be saved. */
static void what_is_to_be_saved(void **state)
{
	struct vol_steps *s = create(*state);
	pid_t pid = start_stepd(), batch = start_stepd();
	struct vol_step step = {.job = 1};

	write_step(*state, 7, 0, pid);
	run_until(s, 1);
	assert_false(vol_steps_to_save(s, 7, &step));
	assert_int_equal(step.job, 1);
	write_step(*state, 7, BATCH, batch);
	run_until(s, 2);
	assert_false(vol_steps_to_save(s, 8, &step));
	assert_true(vol_steps_to_save(s, 7, &step));
	assert_int_equal(step.step, BATCH);
	assert_int_equal(step.stepd, batch);
	assert_int_equal(step.restarts, 7);
	assert_string_equal(step.cgroup, "/a/b");
	end_stepd(pid);
	end_stepd(batch);
	run_until(s, 0);
	assert_false(vol_steps_to_save(s, 7, &step));
	vol_steps_destroy(s);
}

static void stale_files_go_at_start(void **state)
{
	pid_t pid = start_stepd();
	struct vol_steps *s;

	end_stepd(pid);
	write_step(*state, 7, 0, pid);
	/* Some process, but no slurmstepd. */
	write_step(*state, 7, 1, getpid());
	s = create(*state);
	assert_int_equal(count(s), 0);
	assert_int_equal(vtest_count_entries(*state), 0);
	vol_steps_destroy(s);
}

static void file_of_a_successor_stays(void **state)
{
	struct vol_steps *s = create(*state);
	pid_t old = start_stepd(), new = start_stepd();

	write_step(*state, 7, 0, old);
	run_until(s, 1);
	/* The job came back; both are noticed at once. */
	write_step(*state, 7, 0, new);
	end_stepd(old);
	for (int i = 0; i < 20; i++)
		sd_event_run(loop, 10000);
	run_until(s, 1);
	assert_int_equal(vtest_count_entries(*state), 1);
	end_stepd(new);
	run_until(s, 0);
	assert_int_equal(vtest_count_entries(*state), 0);
	vol_steps_destroy(s);
}

static void who_can_not_look_is_busy(void **state)
{
	struct vol_steps *s = create(*state);
	pid_t pid = start_stepd();
	struct rlimit limit, none;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = 3;
	write_step(*state, 7, 0, pid);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	for (int i = 0; i < 10 && !vol_steps_busy(s); i++)
		sd_event_run(loop, 10000);
	assert_true(vol_steps_busy(s));
	assert_true(vol_steps_busy_now(s));
	assert_false(vol_steps_interactive_only(s));
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(vtest_count_entries(*state), 1);
	/* It looks again by itself. */
	run_until(s, 1);
	for (int i = 0; i < 1000 && !vol_steps_interactive_only(s); i++)
		sd_event_run(loop, 10000);
	assert_true(vol_steps_interactive_only(s));
	end_stepd(pid);
	run_until(s, 0);
	assert_false(vol_steps_busy(s));
	vol_steps_destroy(s);
}

static void folder_may_be_replaced(void **state)
{
	struct vol_steps *s = create(*state);
	pid_t pid;

	assert_int_equal(rmdir(*state), 0);
	for (int i = 0; i < 1000 && access(*state, F_OK) != 0; i++)
		sd_event_run(loop, 10000);
	pid = start_stepd();
	write_step(*state, 7, 0, pid);
	run_until(s, 1);
	end_stepd(pid);
	vol_steps_destroy(s);
}

static void batch_jobs_are_not_interactive(void **state)
{
	struct vol_steps *s = create(*state);
	pid_t batch = start_stepd(), step = start_stepd(),
	      other = start_stepd();

	write_step(*state, 7, 0, step);
	run_until(s, 1);
	assert_true(vol_steps_interactive_only(s));
	write_step(*state, 7, BATCH, batch);
	run_until(s, 2);
	assert_false(vol_steps_interactive_only(s));
	write_step(*state, 8, 0, other);
	run_until(s, 3);
	/* What is left of a batch job stays one. */
	end_stepd(batch);
	run_until(s, 2);
	assert_false(vol_steps_interactive_only(s));
	end_stepd(step);
	run_until(s, 1);
	assert_true(vol_steps_interactive_only(s));
	end_stepd(other);
	vol_steps_destroy(s);
}

static void one_without_a_file_counts(void **state)
{
	struct vol_steps *s = create(*state);
	pid_t pid = start_stepd();

	assert_false(vol_steps_busy(s));
	assert_true(vol_steps_busy_now(s));
	assert_false(vol_steps_interactive_only(s));
	assert_int_equal(count(s), 0);
	write_step(*state, 7, 0, pid);
	run_until(s, 1);
	end_stepd(pid);
	vol_steps_destroy(s);
}

/* Go on in a child, and end as it does. */
static void go_on_in_child(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		return;
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		_exit(1);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

/* Processes of our own: other tests play slurmstepd, too.  NULL, or why there
 * are none. */
static const char *isolate(void)
{
	if (unshare(CLONE_NEWPID | CLONE_NEWNS) < 0)
		return strerror(errno);
	go_on_in_child();
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("proc", "/proc", "proc", 0, NULL) < 0)
		return strerror(errno);
	/* Sanitizers can not look into the first process of a namespace. */
	go_on_in_child();
	return NULL;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(steps_come_and_go),
		TEST(one_that_ends_by_itself_was_not_killed),
		TEST(steps_are_judged_first),
		TEST(what_is_to_be_saved),
		TEST(stale_files_go_at_start),
		TEST(file_of_a_successor_stays),
		TEST(who_can_not_look_is_busy),
		TEST(folder_may_be_replaced),
		TEST(batch_jobs_are_not_interactive),
		TEST(one_without_a_file_counts),
	};
	const char *why = isolate();

	if (why) {
		print_message("no processes of our own: %s\n", why);
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
