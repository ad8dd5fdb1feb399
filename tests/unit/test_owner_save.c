/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_owner_save.c - jobs are saved before the controller is asked, or not
 *
 * The owner's object without sensors and without what decides: the test sets
 * what they would have said, and asks as owner_act.c does.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "atomicfile.h"
#include "device/owner_private.h"
#include "freezer_bed.h"

#define DEADLINE_S 30
#define BATCH      0xfffffffb

static struct {
	char folder[64], program[96], steps[96], evictions[96];
	pid_t stepds[2];
	size_t n_stepds;
	struct vol_device_conf conf;
	struct vol_owner o;
	struct bed *cgroups;
	unsigned looks;
	uint64_t reports;
} bed;

/* ---- what stands for the rest of the owner's object ---- */

void vol_owner_look(struct vol_owner *o)
{
	assert_ptr_equal(o, &bed.o);
	bed.looks++;
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void on_steps(void *arg)
{
	(void)arg;
}

/* One look: the jobs that the controller is asked for, "7 8 ". */
static const char *asked(void)
{
	static char text[64];
	const struct vol_eviction *x;
	uint64_t next = UINT64_MAX;

	*text = '\0';
	vol_owner_limit_saving(&bed.o, now_ms());
	while ((x = vol_evictions_due(&bed.o.evictions, now_ms(), &next))) {
		if (vol_owner_save_first(&bed.o, x, now_ms()))
			continue;
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 "%u ", x->job);
		vol_evictions_reported(&bed.o.evictions, x->job, ++bed.reports);
	}
	return text;
}

static void want(uint32_t job)
{
	assert_int_equal(vol_evictions_want(&bed.o.evictions, job, false, false,
					    "x"),
			 0);
}

/* Until the saver has ended n times. */
static void until_looks(unsigned n)
{
	time_t end = time(NULL) + DEADLINE_S;

	while (bed.looks < n) {
		assert_true(time(NULL) <= end);
		assert_true(sd_event_run(bed.o.loop, 10000) >= 0);
	}
	assert_int_equal(bed.looks, n);
}

static void last_event_is(const char *what, const char *text)
{
	json_t *list = vol_journal_tail(bed.o.journal, 1);
	const json_t *event = json_array_get(list, 0);

	assert_non_null(event);
	assert_string_equal(json_string_value(json_object_get(event, "what")),
			    what);
	assert_contains(json_string_value(json_object_get(event, "text")),
			text);
	json_decref(list);
}

/* ---- the bed ---- */

static void program_does(const char *body)
{
	FILE *f = fopen(bed.program, "we");

	assert_non_null(f);
	fprintf(f,
		"#!/bin/sh\ncd %s || exit 9\n"
		"[ \"$2\" = tidy ] && { echo \"$*\" >>tidied; exit; }\n"
		"%s\n",
		bed.folder, body);
	fclose(f);
	assert_int_equal(chmod(bed.program, 0700), 0);
}

/* A process that goes by the name of slurmstepd. */
static pid_t start_stepd(void)
{
	int ready[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, "slurmstepd");
		(void)!write(ready[1], "x", 1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static void write_step(struct vol_step *step)
{
	char path[PATH_MAX], text[VOL_STEPFILE_MAX];
	int len = vol_step_format(step, text, sizeof(text));

	assert_true(len > 0);
	snprintf(path, sizeof(path), "%s/%u.%u", bed.steps, step->job,
		 step->step);
	assert_int_equal(
		vol_file_replace(path, text, (size_t)len, 0644, 0, NULL), 0);
}

/* Job N with its batch step, in a folder of the bed. */
static void add_job(uint32_t job, bool save, bool born)
{
	struct vol_step step = {.job = job,
				.step = BATCH,
				.uid = 1000,
				.tasks = 1,
				.born = born,
				.save = save,
				.restarts = 2};
	char name[16];

	step.stepd = bed.stepds[bed.n_stepds++] = start_stepd();
	snprintf(name, sizeof(name), "%u.batch", job);
	bed_step(bed.cgroups, name);
	bed_task(bed.cgroups, name, "task_0");
	snprintf(step.cgroup, sizeof(step.cgroup), "%s",
		 bed_cgroup(bed.cgroups, name));
	assert_int_equal(vol_freezer_add(bed.o.freezer, &step, true,
					 step.cgroup, NULL),
			 0);
	if (born)
		bed_write(bed.cgroups, name, "user/cgroup.freeze", "0");
	write_step(&step);
}

static void read_steps(void)
{
	bed.o.steps = vol_steps_create(bed.o.loop, bed.steps, NULL, on_steps,
				       NULL, NULL);
	assert_non_null(bed.o.steps);
}

static int setup(void **state)
{
	void *folder;

	memset(&bed, 0, sizeof(bed));
	if (bed_setup_fake(state) < 0 || vtest_folder_setup(&folder) < 0 ||
	    sd_event_new(&bed.o.loop) < 0)
		return -1;
	bed.cgroups = *state;
	snprintf(bed.folder, sizeof(bed.folder), "%s", (char *)folder);
	free(folder);
	snprintf(bed.program, sizeof(bed.program), "%s/program", bed.folder);
	snprintf(bed.steps, sizeof(bed.steps), "%s/steps", bed.folder);
	assert_int_equal(mkdir(bed.steps, 0700), 0);
	snprintf(bed.evictions, sizeof(bed.evictions), "%s/fenced", bed.folder);
	bed.o.evictions_file = bed.evictions;
	assert_int_equal(vol_device_conf_defaults(&bed.conf, NULL), 0);
	bed.o.conf = &bed.conf;
	bed.o.linked = true;
	bed.o.fence = VOL_FENCE_OK;
	bed.o.freezer = freezer(bed.cgroups);
	bed.o.journal = vol_journal_create(bed.folder, NULL);
	assert_non_null(bed.o.journal);
	program_does("echo '{\"number\": 4, \"bytes\": 54525952}'");
	assert_int_equal(vol_owner_save_by(&bed.o, bed.program, "/conf", NULL),
			 0);
	return 0;
}

static int teardown(void **state)
{
	void *folder = strdup(bed.folder);

	vol_saver_destroy(bed.o.saver);
	vol_steps_destroy(bed.o.steps);
	vol_freezer_destroy(bed.o.freezer);
	vol_journal_destroy(bed.o.journal);
	vol_evictions_clear(&bed.o.evictions);
	vol_device_conf_clear(&bed.conf);
	sd_event_unref(bed.o.loop);
	for (size_t i = 0; i < bed.n_stepds; i++) {
		kill(bed.stepds[i], SIGKILL);
		assert_int_equal(waitpid(bed.stepds[i], NULL, 0),
				 bed.stepds[i]);
	}
	vtest_folder_teardown(&folder);
	return bed_teardown(state);
}

/* ---- the tests ---- */

static void saved_first_then_asked_for(void **state)
{
	(void)state;
	add_job(7, true, true);
	read_steps();
	want(7);
	assert_string_equal(asked(), "");
	assert_int_equal(vol_saver_job(bed.o.saver), 7);
	assert_string_equal(asked(), "");
	until_looks(1);
	last_event_is("saved", "job 7, 52M in 0.");
	assert_string_equal(asked(), "7 ");
	assert_string_equal(asked(), "");
	/* The next time that it is asked for, too. */
	vol_evictions_ask_again(&bed.o.evictions);
	assert_string_equal(asked(), "7 ");
}

/* Not without that: killed, we would let it go on past its image. */
static void first_it_is_written_down(void **state)
{
	char *text;

	(void)state;
	program_does("grep -qx '7 kept' fenced && echo '{\"number\": 4}'");
	add_job(7, true, true);
	read_steps();
	want(7);
	assert_string_equal(asked(), "");
	until_looks(1);
	last_event_is("saved", "job 7, ");
	bed.o.evictions_file = "/proc/no/such";
	vol_evictions_drop(&bed.o.evictions, 7);
	want(7);
	assert_string_equal(asked(), "7 ");
	last_event_is("not saved", "job 7: /proc/no/");
	assert_false(vol_evictions_is_kept(&bed.o.evictions, 7));
	/* What did not begin is not kept. */
	bed.o.evictions_file = bed.evictions;
	bed_write(bed.cgroups, "7.batch", "user/cgroup.freeze", "1");
	vol_evictions_drop(&bed.o.evictions, 7);
	want(7);
	assert_string_equal(asked(), "7 ");
	text = vol_file_read(bed.evictions, 64, NULL, NULL);
	assert_null(text);
}

static void a_failure_changes_nothing_else(void **state)
{
	(void)state;
	program_does("echo 'slurm-volunteer-image: a POSIX message queue is "
		     "open' >&2; exit 5");
	add_job(7, true, true);
	read_steps();
	want(7);
	assert_string_equal(asked(), "");
	until_looks(1);
	last_event_is("not saved", "job 7: a POSIX message queue is open");
	assert_string_equal(asked(), "7 ");
}

static void who_does_not_want_it_is_not_saved(void **state)
{
	(void)state;
	add_job(7, false, true);
	add_job(8, true, false);
	read_steps();
	want(7);
	want(8);
	want(9);
	assert_string_equal(asked(), "7 8 9 ");
	assert_int_equal(bed.looks, 0);
}

static void one_after_the_other(void **state)
{
	(void)state;
	add_job(7, true, true);
	add_job(8, true, true);
	read_steps();
	want(7);
	want(8);
	assert_string_equal(asked(), "");
	assert_int_equal(vol_saver_job(bed.o.saver), 7);
	assert_int_equal(bed.o.evictions.list[1].saving, VOL_SAVING_WAITS);
	until_looks(1);
	assert_string_equal(asked(), "7 ");
	assert_int_equal(vol_saver_job(bed.o.saver), 8);
	until_looks(2);
	last_event_is("saved", "job 8, ");
	assert_string_equal(asked(), "8 ");
}

static void suspended_by_slurm(void **state)
{
	(void)state;
	add_job(7, true, true);
	read_steps();
	bed_write(bed.cgroups, "7.batch", "user/cgroup.freeze", "1");
	want(7);
	assert_string_equal(asked(), "7 ");
	last_event_is("not saved", "suspended");
}

static void forbid(struct vol_owner *o)
{
	(void)o;
	bed.conf.checkpoint = false;
}

static void leave(struct vol_owner *o)
{
	o->leaving = true;
}

static void press(struct vol_owner *o)
{
	o->pressed = true;
}

static void unlink_it(struct vol_owner *o)
{
	o->linked = false;
}

static void park(struct vol_owner *o)
{
	o->fence = VOL_FENCE_PARK;
}

static void fence(struct vol_owner *o)
{
	o->fence = VOL_FENCE_KILL;
}

/* It was said 3 s ago that the machine is to sleep. */
static void sleep_soon(struct vol_owner *o)
{
	o->verdict.cause = VOL_CAUSE_SLEEP;
	o->sleep_ms = now_ms() - 3000;
}

static void lose_it(struct vol_owner *o)
{
	vol_evictions_drop(&o->evictions, 7);
}

static const struct {
	void (*happens)(struct vol_owner *o);
	const char *why;
	bool ends_it;     /* while it is being saved */
	const char *then; /* is asked for */
} events[] = {
	{forbid, "checkpoint = no", true, "7 "},
	{leave, "leaving", true, "7 "},
	{press, "memory is short", true, "7 "},
	{unlink_it, "no link", false, ""},
	{park, "no link", false, ""},
	{fence, "out of reach", true, "7 "},
	{sleep_soon, "sleep", true, "7 "},
};

static void not_begun(void **state)
{
	(void)state;
	add_job(7, true, true);
	read_steps();
	for (size_t i = 0; i < N_ELEMENTS(events); i++) {
		want(7);
		events[i].happens(&bed.o);
		assert_string_equal(asked(), "7 ");
		assert_int_equal(vol_saver_job(bed.o.saver), 0);
		last_event_is("not saved", events[i].why);
		bed.conf.checkpoint = bed.o.linked = true;
		bed.o.leaving = bed.o.pressed = false;
		bed.o.fence = VOL_FENCE_OK;
		bed.o.verdict.cause = VOL_CAUSE_OWNER;
		vol_evictions_drop(&bed.o.evictions, 7);
	}
	assert_int_equal(bed.looks, 0);
}

static void ended_early(void **state)
{
	unsigned n = 0;

	(void)state;
	program_does("trap '' TERM\nwhile :; do sleep 0.01; done");
	add_job(7, true, true);
	read_steps();
	for (size_t i = 0; i < N_ELEMENTS(events); i++) {
		want(7);
		assert_string_equal(asked(), "");
		assert_int_equal(vol_saver_job(bed.o.saver), 7);
		bed_write(bed.cgroups, "7.batch", "user/task_0/cgroup.freeze",
			  "0");
		events[i].happens(&bed.o);
		/* In the same look, for what there is no time at all. */
		assert_string_equal(asked(), events[i].then);
		assert_int_equal(bed_read(bed.cgroups, "7.batch",
					  "user/task_0/cgroup.freeze"),
				 events[i].ends_it ? '1' : '0');
		if (!events[i].ends_it) {
			vol_evictions_drop(&bed.o.evictions, 7);
			assert_string_equal(asked(), "");
		}
		until_looks(++n);
		last_event_is("not saved",
			      events[i].ends_it ? events[i].why
						: "it has ended, or may stay");
		bed.conf.checkpoint = bed.o.linked = true;
		bed.o.leaving = bed.o.pressed = false;
		bed.o.fence = VOL_FENCE_OK;
		bed.o.verdict.cause = VOL_CAUSE_OWNER;
		vol_evictions_drop(&bed.o.evictions, 7);
		assert_string_equal(asked(), "");
	}
}

static void gone_meanwhile(void **state)
{
	(void)state;
	program_does("exec sleep 1000");
	add_job(7, true, true);
	add_job(8, true, true);
	read_steps();
	want(7);
	want(8);
	assert_string_equal(asked(), "");
	lose_it(&bed.o);
	program_does("echo '{\"number\": 1, \"bytes\": 1}'");
	/* Not before the other one has ended. */
	assert_string_equal(asked(), "");
	until_looks(1);
	assert_string_equal(asked(), "");
	assert_int_equal(vol_saver_job(bed.o.saver), 8);
	until_looks(2);
	assert_string_equal(asked(), "8 ");
}

/* A lid that is closed while a job is being saved: no longer than logind waits,
 * with time for the question. */
static void sleep_shortens_it(void **state)
{
	uint64_t begin = now_ms();

	(void)state;
	program_does("trap '' TERM\nwhile :; do sleep 0.01; done");
	add_job(7, true, true);
	read_steps();
	bed.o.verdict.cause = VOL_CAUSE_SLEEP;
	want(7);
	assert_string_equal(asked(), "");
	assert_int_equal(vol_saver_job(bed.o.saver), 7);
	until_looks(1);
	assert_string_equal(asked(), "7 ");
	assert_in_range(now_ms() - begin, 2900, VOL_SLEEP_HOLD_MS);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(saved_first_then_asked_for),
		TEST(first_it_is_written_down),
		TEST(a_failure_changes_nothing_else),
		TEST(who_does_not_want_it_is_not_saved),
		TEST(one_after_the_other),
		TEST(suspended_by_slurm),
		TEST(not_begun),
		TEST(ended_early),
		TEST(gone_meanwhile),
		TEST(sleep_shortens_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
