/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_owner_save.c - jobs are saved before the controller is asked, or not */
#include "config.h"

#include "save_bed.h"

static void add_job(uint32_t job, bool save, bool born)
{
	add_job_every(job, save, born, 0);
}

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
	last_event_is("saved", "job 7, 52M in ");
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
	/* Unless it was before. */
	vol_evictions_drop(&bed.o.evictions, 7);
	want(7);
	vol_evictions_keep(&bed.o.evictions, 7);
	assert_string_equal(asked(), "7 ");
	text = vol_file_read(bed.evictions, 64, NULL, NULL);
	assert_string_equal(text, "7 kept\n");
	free(text);
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

/* A program that saves itself runs for no longer than the owner says. */
static void the_grace_is_the_owners(void **state)
{
	static const struct {
		uint64_t grace_ms, time_ms;
		bool exclude;
		const char *want;
	} rows[] = {
		{10000, 60000, false, "--files --signal=10 --grace=10000ms "},
		{10000, 8000, false, "--files --signal=10 --grace=4000ms "},
		{0, 60000, false, "--files save"},
		{10000, 60000, true, "--files save"},
	};
	char path[PATH_MAX], *args;
	struct vol_ckrates before = bed.o.period.rates;

	(void)state;
	snprintf(path, sizeof(path), "%s/args", bed.folder);
	program_does("echo \"$*\" >args; echo '{\"number\": 4, \"bytes\": 5, "
		     "\"memory\": 0, \"dump_ms\": 1, \"send_ms\": 1}'");
	bed.signal = 10;
	add_job(7, true, true);
	read_steps();
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		bed.conf.checkpoint_grace_ms = rows[i].grace_ms;
		bed.conf.checkpoint_ms = rows[i].time_ms;
		assert_int_equal(vol_evictions_want(&bed.o.evictions, 7,
						    rows[i].exclude, false,
						    "x"),
				 0);
		assert_string_equal(asked(), "");
		until_looks((unsigned)i + 1);
		args = vol_file_read(path, 4096, NULL, NULL);
		assert_non_null(args);
		assert_contains(args, rows[i].want);
		free(args);
		assert_string_equal(asked(), "7 ");
		vol_evictions_drop(&bed.o.evictions, 7);
	}
	/* How long it takes to write memory is not learnt from that. */
	assert_memory_equal(&bed.o.period.rates, &before, sizeof(before));
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
		TEST(the_grace_is_the_owners),
		TEST(ended_early),
		TEST(gone_meanwhile),
		TEST(sleep_shortens_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
