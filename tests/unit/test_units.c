/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_units.c - durations, sizes and shares, in and out */
#include "config.h"

#include "units.h"

#include <errno.h>

#include "vtest.h"

#define WEEK_MS UINT64_C(604800000)
#define MAX     UINT64_MAX

static void null_is_refused(void **state)
{
	struct vol_share share = {VOL_SHARE_PCT, 7};
	uint64_t n = 42;

	(void)state;
	errno = 0;
	assert_int_equal(vol_duration_parse(NULL, &n, NULL), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(vol_size_parse(NULL, &n, NULL), -1);
	assert_int_equal(vol_share_parse(NULL, VOL_SHARE_SIZE, &share, NULL),
			 -1);
	assert_int_equal(n, 42);
	assert_int_equal(share.amount, 7);
}

static void durations_parse(void **state)
{
	static const struct {
		const char *text;
		int error; /* errno, or 0 and then: */
		uint64_t ms;
	} rows[] = {
		{"0", 0, 0},
		{"0ms", 0, 0},
		{"1", 0, 1000},
		{"250ms", 0, 250},
		{"5s", 0, 5000},
		{"10m", 0, 600000},
		{"2h", 0, 7200000},
		{"7d", 0, WEEK_MS},
		{"1w", 0, WEEK_MS},
		{"1h30m", 0, 5400000},
		{"1m1ms", 0, 60001},
		{"1w1d1h1m1s1ms", 0, WEEK_MS + 90061001},
		{"007s", 0, 7000},
		{"18446744073709551615ms", 0, MAX},
		{"18446744073709551616ms", ERANGE, 0},
		{"18446744073709551s", 0, UINT64_C(18446744073709551000)},
		{"18446744073709552s", ERANGE, 0},
		{"18446744073709551s616ms", ERANGE, 0},
		{"99999999999999999999999", ERANGE, 0},
		{"40000000000w", ERANGE, 0},
		{"", EINVAL, 0},
		{" 5s", EINVAL, 0},
		{"5s ", EINVAL, 0},
		{"5 s", EINVAL, 0},
		{"1h 30m", EINVAL, 0},
		{"-5s", EINVAL, 0},
		{"+5s", EINVAL, 0},
		{"s", EINVAL, 0},
		{"5x", EINVAL, 0},
		{"5S", EINVAL, 0},
		{"5sec", EINVAL, 0},
		{"5mss", EINVAL, 0},
		{"1.5h", EINVAL, 0},
		{"1h30", EINVAL, 0},
		{"30m1h", EINVAL, 0},
		{"1m1m", EINVAL, 0},
		{"0x10", EINVAL, 0},
		{"1e3", EINVAL, 0},
	};
	struct vol_error err;
	uint64_t ms;
	size_t i;

	(void)state;
	for (i = 0; i < N_ELEMENTS(rows); i++) {
		ms = 42;
		errno = 0;
		err.text[0] = '\0';
		if (rows[i].error == 0) {
			assert_int_equal(
				vol_duration_parse(rows[i].text, &ms, &err), 0);
			assert_int_equal(ms, rows[i].ms);
			continue;
		}
		assert_int_equal(vol_duration_parse(rows[i].text, &ms, &err),
				 -1);
		assert_int_equal(errno, rows[i].error);
		assert_contains(err.text, rows[i].text);
		assert_int_equal(ms, 42);
	}
}

static void durations_format(void **state)
{
	static const struct {
		uint64_t ms;
		const char *text;
	} rows[] = {
		{0, "0s"},
		{1, "1ms"},
		{1000, "1s"},
		{1500, "1s500ms"},
		{60000, "1m"},
		{5400000, "1h30m"},
		{86400000, "1d"},
		{WEEK_MS, "1w"},
		{WEEK_MS - 1, "6d23h59m59s999ms"},
		{MAX, "30500568904w6d14h25m51s615ms"},
	};
	char buf[32];
	uint64_t ms;
	size_t i;

	(void)state;
	for (i = 0; i < N_ELEMENTS(rows); i++) {
		assert_ptr_equal(
			vol_duration_format(rows[i].ms, buf, sizeof(buf)), buf);
		assert_string_equal(buf, rows[i].text);
		assert_int_equal(vol_duration_parse(buf, &ms, NULL), 0);
		assert_int_equal(ms, rows[i].ms);
	}
	/* Too small a buffer is filled and closed, not overrun. */
	memset(buf, '#', sizeof(buf));
	vol_duration_format(MAX, buf, 5);
	assert_int_equal(buf[4], '\0');
	assert_int_equal(buf[5], '#');
}

static void sizes_parse(void **state)
{
	static const struct {
		const char *text;
		int error;
		uint64_t bytes;
	} rows[] = {
		{"0", 0, 0},
		{"512", 0, 512},
		{"512B", 0, 512},
		{"64K", 0, 65536},
		{"64k", 0, 65536},
		{"64KB", 0, 65536},
		{"64KiB", 0, 65536},
		{"2G", 0, UINT64_C(1) << 31},
		{"1.5T", 0, UINT64_C(3) << 39},
		{"1.5GiB", 0, UINT64_C(3) << 29},
		{"0.1K", 0, 102},
		{"0.001M", 0, 1048},
		{"0.999999999E", 0, UINT64_C(1152921503453925471)},
		{"15E", 0, UINT64_C(15) << 60},
		{"15.999999999E", 0, UINT64_C(18446744072556630111)},
		{"16E", ERANGE, 0},
		{"18446744073709551615", 0, MAX},
		{"18446744073709551616", ERANGE, 0},
		{"18014398509481984K", ERANGE, 0},
		{"", EINVAL, 0},
		{"K", EINVAL, 0},
		{".5K", EINVAL, 0},
		{"5.K", EINVAL, 0},
		{"1.5", EINVAL, 0},
		{"1.5B", EINVAL, 0},
		{"1.0000000001G", EINVAL, 0},
		{"1.5.5G", EINVAL, 0},
		{"1,5G", EINVAL, 0},
		{"-1G", EINVAL, 0},
		{"+1G", EINVAL, 0},
		{"1 G", EINVAL, 0},
		{"1G ", EINVAL, 0},
		{"1Gi", EINVAL, 0},
		{"1iB", EINVAL, 0},
		{"1Kb", EINVAL, 0},
		{"1KK", EINVAL, 0},
		{"1GBB", EINVAL, 0},
		{"1Z", EINVAL, 0},
		{"0x10", EINVAL, 0},
	};
	struct vol_error err;
	uint64_t bytes;
	size_t i;

	(void)state;
	for (i = 0; i < N_ELEMENTS(rows); i++) {
		bytes = 42;
		errno = 0;
		err.text[0] = '\0';
		if (rows[i].error == 0) {
			assert_int_equal(
				vol_size_parse(rows[i].text, &bytes, &err), 0);
			assert_int_equal(bytes, rows[i].bytes);
			continue;
		}
		assert_int_equal(vol_size_parse(rows[i].text, &bytes, &err),
				 -1);
		assert_int_equal(errno, rows[i].error);
		assert_contains(err.text, rows[i].text);
		assert_int_equal(bytes, 42);
	}
}

static void sizes_format(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} rows[] = {
		{0, "0"},
		{1023, "1023"},
		{1024, "1K"},
		{1536, "1.5K"},
		{1126, "1K"},
		{1127, "1.1K"},
		{1048575, "1023.9K"},
		{1048576, "1M"},
		{UINT64_C(3) << 29, "1.5G"},
		{UINT64_C(3) << 39, "1.5T"},
		{UINT64_C(5) << 50, "5P"},
		{MAX, "15.9E"},
	};
	char buf[32];
	size_t i;

	(void)state;
	for (i = 0; i < N_ELEMENTS(rows); i++)
		assert_string_equal(vol_size_format(rows[i].bytes, buf,
						    sizeof(buf)),
				    rows[i].text);
	vol_size_format(MAX, buf, 3);
	assert_string_equal(buf, "15");
}

static void shares_parse(void **state)
{
	static const struct {
		const char *text;
		enum vol_share_unit unit;
		int error;
		enum vol_share_kind kind;
		uint64_t amount;
	} rows[] = {
		{"all", VOL_SHARE_COUNT, 0, VOL_SHARE_PCT, 100},
		{"none", VOL_SHARE_SIZE, 0, VOL_SHARE_NONE, 0},
		{"0%", VOL_SHARE_COUNT, 0, VOL_SHARE_PCT, 0},
		{"75%", VOL_SHARE_SIZE, 0, VOL_SHARE_PCT, 75},
		{"100%", VOL_SHARE_COUNT, 0, VOL_SHARE_PCT, 100},
		{"4", VOL_SHARE_COUNT, 0, VOL_SHARE_ABS, 4},
		{"-2", VOL_SHARE_COUNT, 0, VOL_SHARE_BUT, 2},
		{"-0", VOL_SHARE_COUNT, 0, VOL_SHARE_BUT, 0},
		{"4G", VOL_SHARE_SIZE, 0, VOL_SHARE_ABS, UINT64_C(4) << 30},
		{"-1.5G", VOL_SHARE_SIZE, 0, VOL_SHARE_BUT, UINT64_C(3) << 29},
		{"101%", VOL_SHARE_COUNT, ERANGE, 0, 0},
		{"4G", VOL_SHARE_COUNT, EINVAL, 0, 0},
		{"-4G", VOL_SHARE_COUNT, EINVAL, 0, 0},
		{"1.5", VOL_SHARE_COUNT, EINVAL, 0, 0},
		{"7.5%", VOL_SHARE_COUNT, EINVAL, 0, 0},
		{"-75%", VOL_SHARE_SIZE, EINVAL, 0, 0},
		{"75 %", VOL_SHARE_SIZE, EINVAL, 0, 0},
		{"75%%", VOL_SHARE_SIZE, EINVAL, 0, 0},
		{"%", VOL_SHARE_SIZE, EINVAL, 0, 0},
		{"-", VOL_SHARE_SIZE, EINVAL, 0, 0},
		{"--2", VOL_SHARE_COUNT, EINVAL, 0, 0},
		{"+2", VOL_SHARE_COUNT, EINVAL, 0, 0},
		{"", VOL_SHARE_COUNT, EINVAL, 0, 0},
		{"All", VOL_SHARE_COUNT, EINVAL, 0, 0},
		{"nonesuch", VOL_SHARE_COUNT, EINVAL, 0, 0},
		{"18446744073709551616", VOL_SHARE_COUNT, ERANGE, 0, 0},
		{"-16E", VOL_SHARE_SIZE, ERANGE, 0, 0},
	};
	struct vol_share share;
	struct vol_error err;
	size_t i;

	(void)state;
	for (i = 0; i < N_ELEMENTS(rows); i++) {
		share = (struct vol_share){VOL_SHARE_BUT, 42};
		errno = 0;
		if (rows[i].error == 0) {
			assert_int_equal(vol_share_parse(rows[i].text,
							 rows[i].unit, &share,
							 &err),
					 0);
			assert_int_equal(share.kind, rows[i].kind);
			assert_int_equal(share.amount, rows[i].amount);
			continue;
		}
		assert_int_equal(vol_share_parse(rows[i].text, rows[i].unit,
						 &share, &err),
				 -1);
		assert_int_equal(errno, rows[i].error);
		assert_contains(err.text, rows[i].text);
		assert_int_equal(share.kind, VOL_SHARE_BUT);
		assert_int_equal(share.amount, 42);
	}
}

static void shares_apply(void **state)
{
	static const struct {
		struct vol_share share;
		uint64_t total, part;
	} rows[] = {
		{{VOL_SHARE_NONE, 0}, MAX, 0},
		{{VOL_SHARE_PCT, 100}, MAX, MAX},
		{{VOL_SHARE_PCT, 100}, 7, 7},
		{{VOL_SHARE_PCT, 75}, 8, 6},
		{{VOL_SHARE_PCT, 75}, 1, 0},
		{{VOL_SHARE_PCT, 99}, 199, 197},
		{{VOL_SHARE_PCT, 50}, MAX, MAX / 2},
		{{VOL_SHARE_PCT, 200}, 10, 10},
		{{VOL_SHARE_PCT, 0}, 10, 0},
		{{VOL_SHARE_ABS, 4}, 8, 4},
		{{VOL_SHARE_ABS, 9}, 8, 8},
		{{VOL_SHARE_ABS, 4}, 0, 0},
		{{VOL_SHARE_BUT, 2}, 8, 6},
		{{VOL_SHARE_BUT, 8}, 8, 0},
		{{VOL_SHARE_BUT, MAX}, 8, 0},
		{{VOL_SHARE_BUT, 0}, 8, 8},
	};
	size_t i;

	(void)state;
	for (i = 0; i < N_ELEMENTS(rows); i++)
		assert_int_equal(vol_share_apply(&rows[i].share, rows[i].total),
				 rows[i].part);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(null_is_refused),
		cmocka_unit_test(durations_parse),
		cmocka_unit_test(durations_format),
		cmocka_unit_test(sizes_parse),
		cmocka_unit_test(sizes_format),
		cmocka_unit_test(shares_parse),
		cmocka_unit_test(shares_apply),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
