/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_saver_before.c - a job is saved that runs on until most is written
 *
 * The program is a shell script here.
 */
#include "config.h"

#include "device/saver.h"

#include <time.h>

#include "freezer_bed.h"
#include "saver_bed.h"

#define DEADLINE_S 30
#define LONG_MS    60000
#define STEPD      70

static struct {
	struct bed *cgroups;
	struct vol_freezer *freezer;
	char folder[64], program[96];
	sd_event *loop;
	struct vol_saver *saver;
	struct vol_saved result;
	unsigned n, held;
} bed;

static void on_done(const struct vol_saved *result, void *arg)
{
	assert_ptr_equal(arg, &bed);
	bed.result = *result;
	bed.n++;
}

static void on_written(uint32_t job, void *arg)
{
	(void)job;
	(void)arg;
}

static void on_hold(uint32_t job, void *arg)
{
	assert_ptr_equal(arg, &bed);
	assert_int_equal(job, 7);
	bed.held++;
	vol_freezer_hold(bed.freezer, 7, true);
}

static bool is_there(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", bed.folder, name);
	return access(path, F_OK) == 0;
}

static void make_file(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", bed.folder, name);
	fclose(fopen(path, "we"));
}

#define UNTIL(condition)                                                 \
	do {                                                             \
		time_t end_ = time(NULL) + DEADLINE_S;                   \
		while (!(condition)) {                                   \
			if (time(NULL) > end_)                           \
				fail_msg("never: %s", #condition);       \
			assert_true(sd_event_run(bed.loop, 10000) >= 0); \
		}                                                        \
	} while (0)

/* A step that is born, and runs. */
static int setup(void **state)
{
	static const struct vol_saver_ops ops = {on_written, on_done, on_hold};
	struct vol_error err = {""};
	void *folder;

	memset(&bed, 0, sizeof(bed));
	if (bed_setup_fake(state) < 0 || vtest_folder_setup(&folder) < 0 ||
	    sd_event_new(&bed.loop) < 0)
		return -1;
	snprintf(bed.folder, sizeof(bed.folder), "%s", (char *)folder);
	free(folder);
	snprintf(bed.program, sizeof(bed.program), "%s/program", bed.folder);
	bed.cgroups = *state;
	bed.freezer = freezer(bed.cgroups);
	bed_step(bed.cgroups, "7.0");
	bed_task(bed.cgroups, "7.0", "task_0");
	add(bed.freezer, bed.cgroups, 7, 0, true);
	bed_write(bed.cgroups, "7.0", "user/cgroup.freeze", "0");
	vol_freezer_open(bed.freezer);
	bed.saver = vol_saver_create(bed.loop, bed.freezer, bed.program,
				     "/etc/some/device.conf", &ops, &bed, &err);
	return bed.saver ? 0 : -1;
}

static int teardown(void **state)
{
	void *folder = strdup(bed.folder);

	vol_saver_destroy(bed.saver);
	vol_freezer_destroy(bed.freezer);
	sd_event_unref(bed.loop);
	vtest_folder_teardown(&folder);
	return bed_teardown(state);
}

static char task(void)
{
	return bed_read(bed.cgroups, "7.0", "user/task_0/cgroup.freeze");
}

#define BEFORE                                                         \
	"[ \"$6 $7 $8\" = '--cause=periodic --pre save' ] || exit 9\n" \
	"echo '{\"stage\": \"pre\", \"bytes\": 0}'\n"                  \
	"until [ -e go ]; do sleep 0.01; done\n"                       \
	"echo '{\"stage\": \"stop\", \"bytes\": 0}'\n"                 \
	"read x || exit 10\n"                                          \
	"echo '{\"stage\": \"dump\", \"bytes\": 0}'\n"                 \
	"until [ -e on ]; do sleep 0.01; done\n"                       \
	"echo '{\"number\": 1, \"bytes\": 1, \"pre_ms\": 40}'"

static void begin_before(void)
{
	const struct vol_step step = {
		.job = 7, .stepd = STEPD, .cgroup = "/some/step", .save = true};
	struct vol_error err = {""};

	if (vol_saver_begin_before(bed.saver, &step, LONG_MS, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(vol_saver_job(bed.saver), 7);
}

/* Until it is asked for it is the freezer's: an owner may come. */
static void a_step_is_lent_when_most_is_written(void **state)
{
	(void)state;
	write_saver(bed.program, bed.folder, BEFORE);
	begin_before();
	assert_int_equal(task(), '0');
	vol_freezer_close(bed.freezer);
	assert_int_equal(task(), '1');
	vol_freezer_open(bed.freezer);
	assert_int_equal(task(), '0');
	assert_int_equal(bed.held, 0);
	make_file("go");
	UNTIL(bed.held == 1);
	assert_int_equal(task(), '1');
	/* Lent: nothing is written to it. */
	bed_write(bed.cgroups, "7.0", "user/task_0/cgroup.freeze", "0");
	vol_freezer_close(bed.freezer);
	assert_int_equal(task(), '0');
	make_file("on");
	UNTIL(bed.n == 1);
	assert_string_equal(bed.result.why, "");
	assert_true(bed.result.saved);
	assert_int_equal(bed.result.pre_ms, 40);
	assert_int_equal(bed.held, 1);
	assert_int_equal(task(), '1');
}

/* Suspended meanwhile: it can not be lent. */
static void a_step_that_can_not_be_lent_is_not_saved(void **state)
{
	(void)state;
	write_saver(bed.program, bed.folder, BEFORE);
	begin_before();
	bed_write(bed.cgroups, "7.0", "user/cgroup.freeze", "1");
	make_file("go");
	UNTIL(bed.n == 1);
	assert_false(bed.result.saved);
	assert_contains(bed.result.why, "suspended");
}

/* Nobody wants it any more, and then it asks for the step. */
static void one_that_was_told_to_stop_gets_no_step(void **state)
{
	(void)state;
	write_saver(bed.program, bed.folder, "trap 'touch go' TERM\n" BEFORE);
	begin_before();
	vol_saver_limit(bed.saver, 1, "too late");
	UNTIL(bed.n == 1);
	assert_true(is_there("go"));
	assert_int_equal(bed.held, 0);
	assert_string_equal(bed.result.why, "too late");
	assert_false(bed.result.saved);
	assert_int_equal(task(), '0');
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_step_is_lent_when_most_is_written),
		TEST(a_step_that_can_not_be_lent_is_not_saved),
		TEST(one_that_was_told_to_stop_gets_no_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
