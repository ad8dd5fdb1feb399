/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_ckplan.c - options, what a checkpoint costs, and how often */
#include "config.h"

#include "ckplan.h"

#include <errno.h>
#include <math.h>
#include <signal.h>

#include "vtest.h"

static void options(void **state)
{
	static const struct {
		const char *text;
		enum vol_ckmode mode;
		uint32_t every_s;
		const char *again;
		bool app;
	} good[] = {
		{"off", VOL_CKMODE_OFF, 0, "off", false},
		{"on-evict", VOL_CKMODE_ON_EVICT, 0, "on-evict", false},
		{"auto", VOL_CKMODE_AUTO, 0, "auto", false},
		{"10m", VOL_CKMODE_EVERY, 600, "10m", false},
		{"90", VOL_CKMODE_EVERY, 90, "1m30s", false},
		{"1m", VOL_CKMODE_EVERY, 60, "1m", false},
		{"1s", VOL_CKMODE_EVERY, 1, "1s", false},
		{"1w", VOL_CKMODE_EVERY, 604800, "1w", false},
		{"app", VOL_CKMODE_ON_EVICT, 0, "app", true},
		{"app,on-evict", VOL_CKMODE_ON_EVICT, 0, "app", true},
		{"app,auto", VOL_CKMODE_AUTO, 0, "app,auto", true},
		{"app,90", VOL_CKMODE_EVERY, 90, "app,1m30s", true},
		{"app,6d23h59m59s", VOL_CKMODE_EVERY, 604799, "app,6d23h59m59s",
		 true},
	};
	static const struct {
		const char *text;
		int errnum;
	} bad[] = {
		{"", EINVAL},        {"on", EINVAL},       {"Auto", EINVAL},
		{"off ", EINVAL},    {"-10m", EINVAL},     {"10 m", EINVAL},
		{"60500ms", EINVAL}, {"0s", ERANGE},       {"0", ERANGE},
		{"8d", ERANGE},      {"1w1s", ERANGE},     {"10m\n", EINVAL},
		{"\x80", EINVAL},    {"app,", EINVAL},     {"app,off", EINVAL},
		{"apple", EINVAL},   {"App", EINVAL},      {"app,8d", ERANGE},
		{"app,app", EINVAL}, {"auto,app", EINVAL},
	};
	struct vol_ckoption o = {VOL_CKMODE_AUTO, 7, false};
	struct vol_error err;
	char buf[32];

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
		errno = 0;
		assert_int_equal(vol_ckoption_parse(bad[i].text, &o, &err), -1);
		assert_int_equal(errno, bad[i].errnum);
		assert_printable(err.text);
		assert_int_equal(o.every_s, 7);
	}
	for (size_t i = 0; i < N_ELEMENTS(good); i++) {
		assert_int_equal(vol_ckoption_parse(good[i].text, &o, NULL), 0);
		assert_int_equal(o.mode, good[i].mode);
		assert_int_equal(o.every_s, good[i].every_s);
		assert_int_equal(o.app, good[i].app);
		assert_string_equal(vol_ckoption_format(&o, buf),
				    good[i].again);
	}
}

static void signals(void **state)
{
	static const struct {
		const char *text;
		uint32_t number;
	} good[] = {{"TERM", SIGTERM},    {"SIGTERM", SIGTERM}, {"15", 15},
		    {"USR1", SIGUSR1},    {"10", SIGUSR1},      {"INT", SIGINT},
		    {"SIGXCPU", SIGXCPU}, {"HUP", SIGHUP}};
	static const char *const bad[] = {"",
					  "0",
					  "9",
					  "KILL",
					  "SIGKILL",
					  "STOP",
					  "CONT",
					  "CHLD",
					  "SEGV",
					  "TRAP",
					  "term",
					  "SIG",
					  "015",
					  "-15",
					  "64",
					  "15 ",
					  "TERM\n",
					  "SIGSIGTERM",
					  "18446744073709551631"};
	struct vol_error err;
	uint32_t number = 7;

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
		errno = 0;
		assert_int_equal(vol_cksignal_parse(bad[i], &number, &err), -1);
		assert_int_equal(errno, EINVAL);
		assert_printable(err.text);
		assert_int_equal(number, 7);
	}
	for (size_t i = 0; i < N_ELEMENTS(good); i++) {
		assert_int_equal(
			vol_cksignal_parse(good[i].text, &number, NULL), 0);
		assert_int_equal(number, good[i].number);
		assert_true(vol_cksignal_valid(number));
		/* A step file holds it. */
		assert_in_range(number, 1, 31);
	}
	assert_false(vol_cksignal_valid(SIGKILL));
	assert_false(vol_cksignal_valid(UINT64_C(1) << 32 | SIGTERM));
}

static bool near(double a, double b)
{
	return fabs(a - b) <= 0.001 * fabs(b);
}

/* Computed by hand from the formulas. */
static void formulas(void **state)
{
	(void)state;
	assert_true(near(vol_ckplan_young(10, 3600), 268.3282));
	/* 268.3282 (1 + sqrt(1/720)/3 + 1/6480) - 10 */
	assert_true(near(vol_ckplan_daly(10, 3600), 261.7028));
	/* A checkpoint takes longer than there is: M. */
	assert_true(near(vol_ckplan_daly(100, 50), 50));
	assert_true(near(vol_ckplan_daly(100, 10), 10));
	assert_true(isinf(vol_ckplan_daly(1, INFINITY)));
}

/* The outlook of a mean time to the owner's return. */
static void exponential(struct vol_outlook *o, double mean_s)
{
	for (unsigned int i = 0; i < VOL_OUTLOOK_POINTS; i++)
		o->survive[i] = (uint16_t)lround(
			VOL_OUTLOOK_ONE *
			exp(-(double)vol_outlook_seconds(i) / mean_s));
}

static void intervals(void **state)
{
	struct vol_outlook o;
	uint32_t often, seldom;

	(void)state;
	/* Constant hazard: what Daly says, within the curve's coarseness. */
	for (double mean = 3600; mean <= 64 * 3600; mean *= 4) {
		double want = vol_ckplan_daly(5, mean);
		double got;

		exponential(&o, mean);
		got = vol_ckplan_interval_s(&o, 5000, 1000);
		assert_true(fabs(got - want) < 0.05 * want);
	}
	/* Rarer losses, longer intervals; dearer ones, too. */
	often = vol_ckplan_interval_s(&o, 5000, 1000);
	seldom = vol_ckplan_interval_s(&o, 5000, VOL_CKPLAN_SUDDEN);
	assert_true(seldom > 2 * often);
	assert_true(vol_ckplan_interval_s(&o, 20000, 1000) > often);
	/* Nobody ever comes, or nothing is ever lost. */
	exponential(&o, 1e12);
	assert_int_equal(vol_ckplan_interval_s(&o, 5000, 1000),
			 VOL_CKEVERY_MAX_S);
	exponential(&o, 3600);
	assert_int_equal(vol_ckplan_interval_s(&o, 5000, 0), VOL_CKEVERY_MAX_S);
	/* Gone at once; costs nothing. */
	memset(&o, 0, sizeof(o));
	assert_int_equal(vol_ckplan_interval_s(&o, 5000, 1000),
			 VOL_CKPLAN_MIN_S);
	exponential(&o, 3600);
	assert_int_equal(vol_ckplan_interval_s(&o, 0, 1000), VOL_CKPLAN_MIN_S);
	/* Nothing overflows. */
	assert_in_range(vol_ckplan_interval_s(&o, UINT64_MAX, 5000),
			VOL_CKPLAN_MIN_S, VOL_CKEVERY_MAX_S);
}

static void rates(void **state)
{
	struct vol_ckrates r;
	struct vol_ckestimate e;

	(void)state;
	vol_ckrates_init(&r);
	vol_ckestimate(&r, 200000000, &e);
	assert_int_equal(e.dump_ms, 1300);
	assert_int_equal(e.send_ms, 20000);
	assert_int_equal(e.disk, 400000000);
	assert_int_equal(e.network, 200000000);
	/* Learned, in the end. */
	for (int i = 0; i < 40; i++) {
		vol_ckrates_dumped(&r, 1000000, 100, 500000);
		vol_ckrates_dumped(&r, 400000000, 1100, 200000000);
		vol_ckrates_sent(&r, 100000000, 1000);
	}
	vol_ckestimate(&r, 400000000, &e);
	assert_in_range(e.dump_ms, 1090, 1120);
	assert_in_range(e.send_ms, 1990, 2100);
	assert_in_range(e.network, 199000000, 206000000);
	/* What says nothing, and what is absurd. */
	vol_ckrates_dumped(&r, 0, 1, 1);
	vol_ckrates_dumped(&r, 1 << 30, 0, 1);
	vol_ckrates_sent(&r, 0, 1);
	vol_ckrates_sent(&r, 1, 0);
	for (int i = 0; i < 100; i++) {
		vol_ckrates_dumped(&r, UINT64_MAX, 1, UINT64_MAX);
		vol_ckrates_dumped(&r, 1, UINT32_MAX, UINT64_MAX);
		vol_ckrates_sent(&r, 1, UINT32_MAX);
	}
	assert_true(r.dump > 0 && r.send > 0 && r.packed_pct > 0);
	vol_ckestimate(&r, UINT64_MAX, &e);
	assert_true(e.dump_ms <= 1000000000000000000);
}

static void budgets(void **state)
{
	const struct vol_ckbudget any = {UINT64_MAX, UINT64_MAX, UINT64_MAX};
	const uint64_t memory = UINT64_C(2) << 30;
	struct vol_ckbudget b = any;
	struct vol_ckestimate e;
	struct vol_ckrates r;
	struct vol_error err;

	(void)state;
	vol_ckrates_init(&r);
	vol_ckestimate(&r, memory, &e);
	assert_int_equal(vol_ckplan_affords(&e, memory, &any, NULL), 0);
	b.time_ms = e.dump_ms + e.send_ms;
	assert_int_equal(vol_ckplan_affords(&e, memory, &b, NULL), 0);
	b.time_ms = 120000;
	assert_int_equal(vol_ckplan_affords(&e, memory, &b, &err), -1);
	assert_int_equal(errno, ETIME);
	assert_string_equal(err.text, "2G of memory take 3m46s, and 2m is what "
				      "the owner allows");
	b = any;
	b.disk = 1 << 30;
	assert_int_equal(vol_ckplan_affords(&e, memory, &b, &err), -1);
	assert_int_equal(errno, EFBIG);
	assert_string_equal(err.text, "2G of memory take 4G of disk, and 1G "
				      "are what the owner allows");
	b = any;
	b.network = 0;
	assert_int_equal(vol_ckplan_affords(&e, memory, &b, &err), -1);
	assert_contains(err.text, "2G of network");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options),   cmocka_unit_test(formulas),
		cmocka_unit_test(intervals), cmocka_unit_test(rates),
		cmocka_unit_test(budgets),   cmocka_unit_test(signals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
