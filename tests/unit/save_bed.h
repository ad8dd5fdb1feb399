/* SPDX-License-Identifier: GPL-2.0-or-later */
/* save_bed.h - the owner's object without sensors and without what decides: the
 * test sets what they would have said, and asks as owner_act.c does
 */
#ifndef VOL_SAVE_BED_H
#define VOL_SAVE_BED_H

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
#include "saver_bed.h"

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
	uint32_t signal; /* of jobs that are added */
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
	write_saver(bed.program, bed.folder, body);
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
static void add_job_every(uint32_t job, bool save, bool born, uint32_t every_s)
{
	struct vol_step step = {.job = job,
				.step = BATCH,
				.uid = 1000,
				.tasks = 1,
				.born = born,
				.save = save,
				.every_s = every_s,
				.restarts = 2,
				.signal = bed.signal};
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
	free(bed.conf.state_dir);
	bed.conf.state_dir = strdup(bed.folder);
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
	vol_owner_period_end(&bed.o);
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

#endif
