/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_owner_period.c - jobs are saved while they run, and who may mind */
#include "config.h"

#include "save_bed.h"

/* What the first save is taken to need, four times: ckplan.h's 300 ms. */
#define REST_MS 1200
/* Memory is written when there is "go", and all is kept when there is "on". */
#define IN_STAGES                                                           \
	"until [ -e go ]; do sleep 0.01; done\n"                            \
	"echo '{\"stage\": \"send\", \"bytes\": 0}'\n"                      \
	"until [ -e on ]; do sleep 0.01; done\n"                            \
	"echo '{\"number\": 4, \"bytes\": 54525952, \"memory\": 99999999, " \
	"\"dump_ms\": 1300, \"send_ms\": 100}'"

/* The same of one that is written while it runs, when there is "still". */
#define BEFORE                                         \
	"[ \"$7\" = --pre ] || exit 9\n"               \
	"until [ -e still ]; do sleep 0.01; done\n"    \
	"echo '{\"stage\": \"stop\", \"bytes\": 0}'\n" \
	"read x\n" IN_STAGES

static uint64_t t0;

static void make(const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", bed.folder, name);
	assert_int_equal(close(creat(path, 0600)), 0);
}

static char task(uint32_t job)
{
	char name[16];

	snprintf(name, sizeof(name), "%u.batch", job);
	return bed_read(bed.cgroups, name, "user/task_0/cgroup.freeze");
}

/* One look, s seconds after the first: when is the next? */
static uint64_t look_after(uint64_t s)
{
	uint64_t now = t0 + 1000 * s, next = UINT64_MAX;

	vol_owner_limit_saving(&bed.o, now);
	vol_owner_period(&bed.o, now, &next);
	return next - t0;
}

static void opens(bool open)
{
	bed.o.orders.run = open;
	if (open)
		vol_freezer_open(bed.o.freezer);
	else
		vol_freezer_close(bed.o.freezer);
}

/* Nobody is at the machine, and these jobs run. */
static void away(const uint32_t *jobs, size_t n, uint32_t every_s)
{
	bed.conf.checkpoint_every_ms = 1000;
	opens(true);
	for (size_t i = 0; i < n; i++) {
		add_job_every(jobs[i], true, true, every_s);
		vol_freezer_hold(bed.o.freezer, jobs[i], false);
		assert_int_equal(task(jobs[i]), '0');
	}
	read_steps();
	t0 = now_ms();
	bed.o.period.settle_until_ms = 0;
	assert_int_equal(vol_saver_job(bed.o.saver), 0);
}

static const uint32_t one[] = {7};

/* Job 7 is being written. */
static void being_written(uint32_t every_s)
{
	program_does(IN_STAGES);
	away(one, 1, every_s);
	look_after(0);
	look_after(every_s + 1);
	assert_int_equal(vol_saver_job(bed.o.saver), 7);
	assert_int_equal(vol_saver_cause(bed.o.saver), VOL_CKCAUSE_PERIODIC);
	assert_int_equal(task(7), '1');
	assert_int_equal(bed.looks, 0);
}

/* A large one is left alone for longer. */
#define LATER 1000

static void until_stopped(uint32_t job)
{
	time_t end = time(NULL) + DEADLINE_S;

	while (task(job) != '1') {
		assert_true(time(NULL) <= end);
		assert_true(sd_event_run(bed.o.loop, 10000) >= 0);
	}
}

static void give_memory(uint32_t job, const char *bytes)
{
	char name[16], text[64];

	snprintf(name, sizeof(name), "%u.batch", job);
	snprintf(text, sizeof(text), "anon %s\n", bytes);
	bed_write(bed.cgroups, name, "user/memory.stat", text);
}

/* It goes on while most is written, is stopped for the rest, and goes on. */
static void a_large_job_is_stopped_late(void **state)
{
	(void)state;
	program_does(BEFORE);
	away(one, 1, 10);
	give_memory(7, "33554432");
	look_after(0);
	look_after(LATER);
	assert_int_equal(vol_saver_job(bed.o.saver), 7);
	assert_int_equal(task(7), '0');
	/* Somebody comes, and goes. */
	opens(false);
	assert_int_equal(task(7), '1');
	opens(true);
	assert_int_equal(task(7), '0');
	make("still");
	until_stopped(7);
	assert_true(vol_freezer_holds(bed.o.freezer, 7));
	make("go");
	until_looks(1);
	assert_int_equal(task(7), '0');
	assert_false(vol_freezer_holds(bed.o.freezer, 7));
	make("on");
	until_looks(2);
	assert_int_equal(vol_saver_job(bed.o.saver), 0);
}

/* One that fails before leaves the job as it is. */
static void a_large_job_goes_on_when_it_is_not_saved(void **state)
{
	(void)state;
	program_does("exit 1");
	away(one, 1, 10);
	give_memory(7, "33554432");
	look_after(0);
	look_after(LATER);
	until_looks(1);
	assert_int_equal(vol_saver_job(bed.o.saver), 0);
	assert_int_equal(task(7), '0');
	assert_false(vol_freezer_holds(bed.o.freezer, 7));
}

/* A byte less, and it is stopped at once. */
static void a_small_job_is_stopped_at_once(void **state)
{
	(void)state;
	program_does("[ \"$7\" = save ] || exit 9\n" IN_STAGES);
	away(one, 1, 10);
	give_memory(7, "33554431");
	look_after(0);
	look_after(LATER);
	assert_int_equal(task(7), '1');
	make("go");
	make("on");
	until_looks(2);
	assert_int_equal(task(7), '0');
}

static size_t n_events(void)
{
	json_t *list = vol_journal_tail(bed.o.journal, 100);
	size_t n = json_array_size(list);

	json_decref(list);
	return n;
}

static void a_job_is_saved_and_goes_on(void **state)
{
	(void)state;
	program_does(IN_STAGES);
	away(one, 1, 10);
	assert_int_equal(look_after(0), 10000);
	assert_int_equal(look_after(4), 10000);
	assert_int_equal(vol_saver_job(bed.o.saver), 0);
	look_after(10);
	assert_int_equal(vol_saver_job(bed.o.saver), 7);
	assert_int_equal(task(7), '1');
	/* While it is stopped nothing is lost. */
	look_after(11);
	make("go");
	until_looks(1);
	assert_int_equal(task(7), '0');
	look_after(12);
	look_after(13);
	make("on");
	until_looks(2);
	assert_int_equal(task(7), '0');
	/* 10 s after its memory was written. */
	assert_int_equal(look_after(13), 22000);
	assert_int_equal(n_events(), 0);
	assert_int_equal(bed.o.period.rates.fixed_ms, 300);
	assert_true(bed.o.period.rates.dump < 200000000);
}

static void as_often_as_it_is_worth(void **state)
{
	uint64_t next;

	(void)state;
	away(one, 1, VOL_STEP_EVERY_AUTO);
	next = look_after(0);
	assert_in_range(next, 60000, VOL_AVAILABILITY_GAP_S * 1000);
	bed.conf.checkpoint_every_ms = next + 1;
	assert_int_equal(look_after(0), next + 1);
}

static void no_oftener_than_it_can(void **state)
{
	(void)state;
	away(one, 1, 1);
	assert_int_equal(look_after(0), REST_MS);
	bed.conf.checkpoint_every_ms = 20000;
	assert_int_equal(look_after(0), 20000);
}

/* It is told nothing: what it saves by itself is taken. */
static void one_that_saves_itself(void **state)
{
	char path[PATH_MAX], *args;

	(void)state;
	program_does("echo \"$*\" >args; echo '{\"number\": 4, \"bytes\": 5, "
		     "\"memory\": 0, \"dump_ms\": 1, \"send_ms\": 1}'");
	bed.signal = 15;
	away(one, 1, 10);
	look_after(0);
	look_after(10);
	until_looks(1);
	assert_int_equal(task(7), '0');
	snprintf(path, sizeof(path), "%s/args", bed.folder);
	args = vol_file_read(path, 4096, NULL, NULL);
	assert_non_null(args);
	assert_contains(args, "--cause=periodic --files save ");
	free(args);
}

static void not_asked_for(void **state)
{
	(void)state;
	away(NULL, 0, 0);
	add_job_every(7, true, true, 0);
	add_job_every(8, false, true, 1);
	vol_freezer_hold(bed.o.freezer, 7, false);
	vol_freezer_hold(bed.o.freezer, 8, false);
	vol_steps_destroy(bed.o.steps);
	read_steps();
	for (unsigned s = 0; s < 100; s++)
		look_after(s);
	assert_int_equal(vol_saver_job(bed.o.saver), 0);
}

static void forbid(void)
{
	bed.conf.checkpoint = false;
}

static void leave(void)
{
	bed.o.leaving = true;
}

static void cut(void)
{
	bed.o.linked = false;
}

static void fence(void)
{
	bed.o.fence = VOL_FENCE_PARK;
}

static void come(void)
{
	opens(false);
}

static void (*const objections[])(void) = {forbid, leave, cut, fence, come};

static void all_is_well(void)
{
	bed.conf.checkpoint = bed.o.linked = true;
	bed.o.leaving = false;
	bed.o.fence = VOL_FENCE_OK;
	opens(true);
}

static void not_when_somebody_minds(void **state)
{
	(void)state;
	away(one, 1, 10);
	look_after(0);
	for (size_t i = 0; i < N_ELEMENTS(objections); i++) {
		objections[i]();
		look_after(20);
		assert_int_equal(vol_saver_job(bed.o.saver), 0);
		all_is_well();
	}
	look_after(20);
	assert_int_equal(vol_saver_job(bed.o.saver), 7);
	until_looks(1);
}

/* What is being written is written to its end; what is sent is not. */
static void somebody_minds_meanwhile(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(objections); i++) {
		if (i == 0)
			being_written(10);
		else
			look_after(20 + i);
		assert_int_equal(vol_saver_job(bed.o.saver), 7);
		objections[i]();
		look_after(20 + i);
		make("go");
		until_looks(2 * (unsigned)i + 1);
		assert_int_equal(vol_saver_job(bed.o.saver), 7);
		/* No task runs in front of its owner. */
		assert_int_equal(task(7), objections[i] == come ? '1' : '0');
		look_after(20 + i);
		until_looks(2 * (unsigned)i + 2);
		all_is_well();
		assert_int_equal(task(7), '0');
		/* That is nothing against the job: it is its turn yet. */
		assert_int_equal(vol_ckperiod_failures(&bed.o.period.turns, 7),
				 0);
	}
	assert_int_equal(n_events(), 0);
}

static void it_has_to_leave_while_it_is_written(void **state)
{
	(void)state;
	being_written(10);
	opens(false);
	want(7);
	assert_string_equal(asked(), "");
	assert_int_equal(bed.o.evictions.list[0].saving, VOL_SAVING_NOW);
	make("go");
	assert_string_equal(asked(), "");
	make("on");
	until_looks(1);
	last_event_is("saved", "job 7, 52M in ");
	assert_int_equal(task(7), '1');
	assert_string_equal(asked(), "7 ");
	/* It was the only one. */
	assert_int_equal(bed.looks, 1);
}

static void it_has_to_leave_when_it_has_run_on(void **state)
{
	(void)state;
	being_written(10);
	make("go");
	until_looks(1);
	assert_int_equal(task(7), '0');
	program_does("echo \"{\\\"number\\\": ${6##*evict}5, "
		     "\\\"bytes\\\": 1048576}\"");
	want(7);
	vol_freezer_hold(bed.o.freezer, 7, true);
	assert_string_equal(asked(), "");
	until_looks(2);
	/* Not of what it was then. */
	assert_string_equal(asked(), "");
	assert_int_equal(vol_saver_job(bed.o.saver), 7);
	assert_int_equal(vol_saver_cause(bed.o.saver), VOL_CKCAUSE_EVICT);
	until_looks(3);
	last_event_is("saved", "job 7, 1M in ");
	assert_string_equal(asked(), "7 ");
	assert_int_equal(task(7), '1');
}

static void it_leaves_without_being_saved(void **state)
{
	(void)state;
	being_written(10);
	opens(false);
	want(7);
	bed.o.pressed = true;
	assert_string_equal(asked(), "7 ");
	last_event_is("not saved", "memory is short");
	look_after(12);
	until_looks(1);
	assert_int_equal(vol_saver_job(bed.o.saver), 0);
	assert_int_equal(task(7), '1');
}

static void another_one_has_to_leave(void **state)
{
	(void)state;
	program_does(IN_STAGES);
	away(one, 1, 10);
	add_job_every(8, true, true, 0);
	vol_steps_destroy(bed.o.steps);
	read_steps();
	look_after(0);
	look_after(11);
	assert_int_equal(vol_saver_job(bed.o.saver), 7);
	want(8);
	assert_string_equal(asked(), "");
	assert_int_equal(bed.o.evictions.list[0].saving, VOL_SAVING_WAITS);
	look_after(11);
	assert_int_equal(vol_saver_job(bed.o.saver), 7);
	assert_false(vol_saver_written(bed.o.saver));
	make("go");
	until_looks(1);
	look_after(11);
	until_looks(2);
	make("on");
	assert_string_equal(asked(), "");
	assert_int_equal(vol_saver_job(bed.o.saver), 8);
	until_looks(3);
	assert_string_equal(asked(), "8 ");
	/* Job 7 was saved no further, and is next. */
	look_after(11);
	assert_int_equal(vol_saver_job(bed.o.saver), 7);
}

static void what_can_not_be_saved_is_told_once(void **state)
{
	uint64_t s = 0;

	(void)state;
	program_does("echo 'slurm-volunteer-image: a step of srun' >&2; "
		     "exit 5");
	away(one, 1, 10);
	look_after(0);
	for (unsigned i = 1; i < 4; i++) {
		look_after(s += 10 << (i > 2 ? i - 2 : 0));
		assert_int_equal(vol_saver_job(bed.o.saver), 7);
		until_looks(i);
		assert_int_equal(task(7), '0');
		last_event_is("not saved", "job 7: a step of srun");
		assert_int_equal(n_events(), 1);
		look_after(s);
		assert_int_equal(vol_saver_job(bed.o.saver), 0);
	}
}

static void more_than_the_owner_allows(void **state)
{
	(void)state;
	away(one, 1, 10);
	bed_write(bed.cgroups, "7.batch", "memory.stat",
		  "anon 200000000000\nfile 5\nshmem 100000000000\n");
	look_after(0);
	/* 300 GB in 25 minutes and 10 hours, and four times that. */
	look_after(200000);
	assert_int_equal(vol_saver_job(bed.o.saver), 0);
	last_event_is("not saved", "and 1m is what the owner allows");
	assert_int_equal(task(7), '0');
}

static void who_is_not_known_to_be_welcome_stays_held(void **state)
{
	(void)state;
	being_written(10);
	bed.o.undecided = true;
	make("go");
	until_looks(1);
	assert_int_equal(task(7), '1');
	make("on");
	until_looks(2);
	assert_int_equal(task(7), '1');
	assert_true(vol_freezer_holds(bed.o.freezer, 7));
}

/* One that was called off ends late, and freezes what runs again by then. */
static void what_a_dump_leaves_is_put_right(void **state)
{
	(void)state;
	away(one, 1, 10);
	vol_owner_settle(&bed.o);
	bed_write(bed.cgroups, "7.batch", "user/task_0/cgroup.freeze", "1\n");
	assert_int_equal(look_after(0), 1000);
	assert_int_equal(task(7), '0');
	opens(false);
	bed_write(bed.cgroups, "7.batch", "user/task_0/cgroup.freeze", "0\n");
	look_after(5);
	assert_int_equal(task(7), '1');
	opens(true);
	assert_int_equal(task(7), '0');
	/* Not for ever. */
	bed_write(bed.cgroups, "7.batch", "user/task_0/cgroup.freeze", "1\n");
	look_after(60);
	assert_int_equal(task(7), '1');
	/* It may have been there before us, or be ours. */
	bed.o.period.settle_until_ms = 0;
	vol_owner_period_end(&bed.o);
	vol_owner_period_begin(&bed.o);
	assert_true(bed.o.period.settle_until_ms > t0);
}

static void habits_are_kept(void **state)
{
	struct vol_owner again = {.conf = &bed.conf};
	char path[PATH_MAX];
	struct stat st;

	(void)state;
	away(one, 1, VOL_STEP_EVERY_AUTO);
	look_after(0);
	snprintf(path, sizeof(path), "%s/habit", bed.folder);
	assert_int_equal(stat(path, &st), -1);
	look_after(3601);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, VOL_AVAILABILITY_SIZE);
	assert_int_equal(st.st_mode & 0777, 0600);
	vol_owner_period_begin(&again);
	assert_non_null(again.period.habit);
	vol_owner_period_end(&again);
	/* A damaged one is begun anew. */
	assert_int_equal(vol_file_replace(path, "x", 1, 0600, 0, NULL), 0);
	vol_owner_period_begin(&again);
	assert_non_null(again.period.habit);
	vol_owner_period_end(&again);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_job_is_saved_and_goes_on),
		TEST(a_large_job_is_stopped_late),
		TEST(a_large_job_goes_on_when_it_is_not_saved),
		TEST(a_small_job_is_stopped_at_once),
		TEST(as_often_as_it_is_worth),
		TEST(no_oftener_than_it_can),
		TEST(one_that_saves_itself),
		TEST(not_asked_for),
		TEST(not_when_somebody_minds),
		TEST(somebody_minds_meanwhile),
		TEST(it_has_to_leave_while_it_is_written),
		TEST(it_has_to_leave_when_it_has_run_on),
		TEST(it_leaves_without_being_saved),
		TEST(another_one_has_to_leave),
		TEST(what_can_not_be_saved_is_told_once),
		TEST(more_than_the_owner_allows),
		TEST(who_is_not_known_to_be_welcome_stays_held),
		TEST(what_a_dump_leaves_is_put_right),
		TEST(habits_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
