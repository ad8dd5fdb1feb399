/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_simulator.c - what bench/sim is made of */
#include "config.h"

#include "calibration.h"
#include "engine.h"
#include "generator.h"

#include <errno.h>

#include "vtest.h"

#define HOUR 3600
#define DAY  86400
#define WEEK (7 * DAY)

static int read_text(const char *text, struct trace *t, struct vol_error *err)
{
	FILE *f = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	int ret;

	assert_non_null(f);
	ret = trace_read(t, f, "t", err);
	fclose(f);
	return ret;
}

static void good_trace(void **state)
{
	static const char text[] = "# from somewhere\n"
				   "volunteer-trace 1\n"
				   "start 2024-02-29  # a leap day\n"
				   "end 7200\n"
				   "\n"
				   "device a\n"
				   "busy 0 60\n"
				   "busy 60 7200\n"
				   "device b";
	struct vol_error err;
	struct trace t;

	(void)state;
	assert_int_equal(read_text(text, &t, &err), 0);
	assert_int_equal(t.epoch, 1709164800);
	assert_int_equal(t.end, 7200);
	assert_int_equal(t.n, 2);
	assert_string_equal(t.devices[0].name, "a");
	assert_int_equal(t.devices[0].n, 2);
	assert_int_equal(t.devices[0].busy[1].start, 60);
	assert_int_equal(t.devices[0].busy[1].end, 7200);
	assert_int_equal(t.devices[1].n, 0);
	trace_clear(&t);
	assert_int_equal(t.n, 0);
}

#define HEAD "volunteer-trace 1\nstart 2024-01-01\nend 100\n"

static void bad_traces(void **state)
{
	static const struct {
		const char *text, *reason;
	} rows[] = {
		{"\n", "t:1: ends before"},
		{"volunteer-trace 2\n", "t:1: not \"volunteer-trace 1\""},
		{"volunteer-trace 1\nend 5\n", "t:2: not \"start\""},
		{"volunteer-trace 1\nstart 2024-1-1x\n", "t:2: start: a date"},
		{"volunteer-trace 1\nstart 1969-12-31\n", "t:2: start: a date"},
		{"volunteer-trace 1\nstart 2024-04-31\n", "t:2: start: a date"},
		{"volunteer-trace 1\nstart 2023-02-29\n", "t:2: start: a date"},
		{"volunteer-trace 1\nstart 2024-00-10\n", "t:2: start: a date"},
		{"volunteer-trace 1\nstart 2024-01-01\ndevice a\n",
		 "t:3: not \"end\""},
		{"volunteer-trace 1\nstart 2024-01-01\nend 0\n", "t:3: end: "},
		{"volunteer-trace 1\nstart 2024-01-01\nend 1e3\n", "t:3: end:"},
		{"volunteer-trace 1\nstart 2024-01-01\nend -1\n", "t:3: end: "},
		{"volunteer-trace 1\nstart 2024-01-01\n"
		 "end 99999999999999999999\n",
		 "t:3: end: "},
		{HEAD, "t:3: ends before"},
		{HEAD "busy 1 2\n", "t:4: busy: no device"},
		{HEAD "device \n", "t:4: neither"},
		{HEAD "device a b\n", "t:4: device: only"},
		{HEAD "device \x1b[31m\n", "t:4: device: only"},
		{HEAD "device 0123456789012345678901234567890123456789"
		      "012345678901234567890123\n",
		 "t:4: device: a name"},
		{HEAD "device a\nbusy 5\n", "t:5: busy: FROM TO"},
		{HEAD "device a\nbusy 5 5\n", "t:5: busy: FROM TO"},
		{HEAD "device a\nbusy 6 5\n", "t:5: busy: FROM TO"},
		{HEAD "device a\nbusy 1 2 3\n", "t:5: busy: FROM TO"},
		{HEAD "device a\nbusy 1 101\n", "t:5: busy: after the end"},
		{HEAD "device a\nbusy 1 9\nbusy 8 10\n", "t:6: busy: before"},
		{HEAD "device a\nfree 1 9\n", "t:5: neither"},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct vol_error err = {""};
		struct trace t;

		errno = 0;
		if (read_text(rows[i].text, &t, &err) == 0)
			fail_msg("row %zu is taken", i);
		assert_int_equal(errno, EINVAL);
		assert_contains(err.text, rows[i].reason);
		assert_printable(err.text);
		assert_int_equal(t.n, 0);
		assert_null(t.devices);
	}
}

/* Each kind lives, on every machine the same, and is away often enough. */
static void generator(void **state)
{
	(void)state;
	for (unsigned int i = 0; generator_patterns[i]; i++) {
		struct trace a, b;
		struct vol_error err;
		struct world w;
		double open;

		assert_int_equal(
			generate(&a, generator_patterns[i], 7, 8, 2, &err), 0);
		assert_int_equal(
			generate(&b, generator_patterns[i], 7, 8, 2, &err), 0);
		assert_int_equal(a.n, 8);
		for (size_t d = 0; d < a.n; d++) {
			assert_int_equal(a.devices[d].n, b.devices[d].n);
			assert_memory_equal(
				a.devices[d].busy, b.devices[d].busy,
				a.devices[d].n * sizeof(struct trace_span));
		}
		assert_int_equal(world_create(&w, &a, 300), 0);
		open = world_open_s(&w, 0, a.end) / (8.0 * (double)a.end);
		if (open < 0.4 || open > 0.95)
			fail_msg("%s: open %f", generator_patterns[i], open);
		world_destroy(&w);
		trace_clear(&a);
		trace_clear(&b);
	}
	assert_int_equal(generate(&(struct trace){0}, "nobody", 1, 1, 1, NULL),
			 -1);
}

/* What the engine reports can be counted by hand: two devices, two jobs. */
static void engine(void **state)
{
	static const char text[] = "volunteer-trace 1\nstart 2024-01-01\n"
				   "end 86400\n"
				   "device a\nbusy 0 100\nbusy 10000 86000\n"
				   "device b\nbusy 0 50\nbusy 30000 40000\n";
	static struct job list[] = {{1000, 20000, 20000}, {2000, 5000, 5000}};
	const struct jobs jobs = {list, N_ELEMENTS(list), 2};
	static const struct {
		enum policy policy;
		size_t evictions;
		double wasted_s, turnaround_s;
	} rows[] = {
		/* a is lost at 10000; then b has it, from 10060 on, until
		 * 30000; and once more from 40300 on. */
		{POLICY_FIRST_FIT, 2, 9000 + 19940,
		 (40300 + 20000 - 1000 + 5000) / 2.0},
		{POLICY_LONGEST_IDLE, 0, 0, (20000 + 5000) / 2.0},
		{POLICY_ORACLE, 0, 0, (20000 + 5000) / 2.0},
		{POLICY_PATIENT_ORACLE, 0, 0, (20000 + 5000) / 2.0},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(rows); i++) {
		struct outcome out;
		struct vol_error err;
		struct trace t;
		struct world w;

		assert_int_equal(read_text(text, &t, &err), 0);
		assert_int_equal(world_create(&w, &t, 300), 0);
		assert_int_equal(simulate(&w, &jobs, rows[i].policy,
					  rng_make(1, 1), &out),
				 0);
		assert_int_equal(out.evictions, rows[i].evictions);
		assert_float_equal(out.wasted_h, rows[i].wasted_s / 3600, 0.01);
		assert_float_equal(out.turnaround_h,
				   rows[i].turnaround_s / 3600, 0.01);
		assert_float_equal(out.useful_h, 25000 / 3600.0, 0.01);
		assert_int_equal(out.unfinished, 0);
		world_destroy(&w);
		trace_clear(&t);
	}
}

/* A small case of what bench/sim shows at length. */
static void ours_wastes_less(void **state)
{
	const int64_t start = 4 * WEEK, end = 5 * WEEK;
	double wasted[POLICIES] = {0};
	struct calibration c = {.n = 0};

	(void)state;
	for (uint64_t seed = 1; seed <= 2; seed++) {
		struct jobs jobs = {0};
		struct vol_error err;
		struct trace t;
		struct world base, w;

		assert_int_equal(generate(&t, "mixed", seed, 40, 7, &err), 0);
		assert_int_equal(world_create(&base, &t, 300), 0);
		world_advance(&base, start);
		assert_int_equal(jobs_generate(&jobs, rng_make(seed, 1), start,
					       end, 40 * 4 * HOUR),
				 0);
		for (enum policy p = 0; p < POLICIES; p++) {
			struct outcome out;

			assert_int_equal(world_copy(&w, &base), 0);
			assert_int_equal(simulate(&w, &jobs, p,
						  rng_make(seed, 2), &out),
					 0);
			assert_int_equal(out.unfinished, 0);
			wasted[p] += out.wasted_h;
			print_message("%-14s wastes %.1f h of %.1f h\n",
				      policy_names[p], out.wasted_h,
				      out.useful_h);
			world_destroy_copy(&w);
		}
		calibrate(&c, &base, end, rng_make(seed, 3));
		jobs_clear(&jobs);
		world_destroy(&base);
		trace_clear(&t);
	}
	assert_true(wasted[POLICY_ORDER_ONLY] < wasted[POLICY_LONGEST_IDLE]);
	assert_true(wasted[POLICY_OURS] < 0.6 * wasted[POLICY_LONGEST_IDLE]);
	assert_true(wasted[POLICY_ORACLE] < wasted[POLICY_ORDER_ONLY]);
	assert_true(wasted[POLICY_PATIENT_ORACLE] < wasted[POLICY_OURS]);
	print_message("calibration error %.3f of %zu outlooks\n",
		      calibration_error_weighted(&c), c.n);
	assert_true(calibration_error_weighted(&c) < 0.05);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_trace),
		cmocka_unit_test(bad_traces),
		cmocka_unit_test(generator),
		cmocka_unit_test(engine),
		cmocka_unit_test(ours_wastes_less),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
