/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_matrix.c - matrices: specs, exact values, points, excludes */
#include "config.h"

#include "vtest.h"

#include <errno.h>
#include <inttypes.h>

#include "matrix.h"

static struct vol_matrix *make(const char *const *specs, bool zip)
{
	struct vol_matrix *m = vol_matrix_create();
	struct vol_error err = {""};

	assert_non_null(m);
	vol_matrix_set_zip(m, zip);
	for (; *specs; specs++) {
		if (vol_matrix_add(m, *specs, &err) < 0)
			fail_msg("%s: %s", *specs, err.text);
	}
	return m;
}

static void finish(struct vol_matrix *m)
{
	struct vol_error err = {""};

	if (vol_matrix_finish(m, &err) < 0)
		fail_msg("%s", err.text);
}

/* "a b c" of one axis. */
static void assert_values(const struct vol_matrix *m, size_t axis,
			  const char *expected)
{
	char buf[VOL_MATRIX_VALUE_SIZE], all[4096] = "";

	for (uint64_t i = 0; i < vol_matrix_length(m, axis); i++) {
		assert_int_equal(vol_matrix_value(m, axis, i, buf, sizeof(buf)),
				 0);
		if (i)
			strcat(all, " ");
		strcat(all, buf);
	}
	assert_string_equal(all, expected);
}

static void test_values(void **state)
{
	static const struct {
		const char *spec, *values;
	} cases[] = {
		{"n=1..5", "1 2 3 4 5"},
		{"n=5..5", "5"},
		{"n=-2..2", "-2 -1 0 1 2"},
		{"n=10..1:-3", "10 7 4 1"},
		{"n=1..10:4", "1 5 9"},
		{"n=0.5..2:0.25", "0.50 0.75 1.00 1.25 1.50 1.75 2.00"},
		{"n=-0.2..0.2:0.1", "-0.2 -0.1 0.0 0.1 0.2"},
		{"n=0..0.3:0.1", "0.0 0.1 0.2 0.3"},
		{"n=1..2.5", "1.0 2.0"},
		{"n=999999999999999998..999999999999999999",
		 "999999999999999998 999999999999999999"},
		{"n=-0.1..-0.3:-0.1", "-0.1 -0.2 -0.3"},
		{"n=a,b,a", "a b a"},
		{"n=../x,../y", "../x ../y"},
		{"n=../x..y", "../x..y"},
		{"n=1,2..3", "1 2..3"},
		{"n=x=1,$y", "x=1 $y"},
		{"n=a@b", "a@b"},
		{"_=", NULL},
		{"n=", NULL},
		{"n=a,,b", NULL},
		{"n=a,", NULL},
		{"n", NULL},
		{"", NULL},
		{"=1", NULL},
		{"1n=1", NULL},
		{"n-m=1", NULL},
		{"n\303\244=1", NULL},
		{"n=1..", NULL},
		{"n=1..x", NULL},
		{"n=1...3", NULL},
		{"n=1..5:0", NULL},
		{"n=1..5:-1", NULL},
		{"n=5..1", NULL},
		{"n=1..5:", NULL},
		{"n=1..5:2x", NULL},
		{"n=01..10", NULL},
		{"n=1..1000000000000000000", NULL},
		{"n=0.1..999999999999999999", NULL},
		{"n=1..4294967297", NULL},
		{"n=1e3..5e3", "1e3..5e3"},
		{"n=a\tb", NULL},
		{"n=a\177", NULL},
		{"n=@", NULL},
		{"n=@/", NULL},
		{"n=@/does/not/exist", NULL},
		{"PATH=1", NULL},
		{"IFS=1", NULL},
		{"LD_PRELOAD=1", NULL},
		{"SLURM_JOB_ID=1", NULL},
		{"SLURMD_X=1", NULL},
		{"VBATCH_POINT=1", NULL},
		{"UID=1", NULL},
		{"PATHS=1", "1"},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		struct vol_matrix *m = vol_matrix_create();
		struct vol_error err = {""};
		int rc = vol_matrix_add(m, cases[i].spec, &err);

		if ((rc == 0) != (cases[i].values != NULL))
			fail_msg("'%s' -> %d %s", cases[i].spec, rc, err.text);
		if (rc == 0)
			assert_values(m, 0, cases[i].values);
		else
			assert_true(err.text[0] && errno);
		vol_matrix_destroy(m);
	}
	vol_matrix_destroy(NULL);
}

static void test_value_limits(void **state)
{
	struct vol_matrix *m = vol_matrix_create();
	char spec[VOL_MATRIX_VALUE_SIZE + 8] = "n=";
	char buf[4];

	(void)state;
	memset(spec + 2, 'x', VOL_MATRIX_VALUE_SIZE);
	assert_int_equal(vol_matrix_add(m, spec, NULL), -1);
	spec[2 + VOL_MATRIX_VALUE_SIZE - 1] = '\0';
	assert_int_equal(vol_matrix_add(m, spec, NULL), 0);
	assert_int_equal(vol_matrix_value(m, 0, 0, buf, sizeof(buf)), -1);
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(vol_matrix_value(m, 0, 1, buf, sizeof(buf)), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(vol_matrix_value(m, 1, 0, buf, sizeof(buf)), -1);
	assert_int_equal(vol_matrix_add(m, "n=1", NULL), -1);
	assert_int_equal(errno, EEXIST);
	for (int i = 1; i < VOL_MATRIX_AXES; i++) {
		sprintf(spec, "a%d=1", i);
		assert_int_equal(vol_matrix_add(m, spec, NULL), 0);
	}
	assert_int_equal(vol_matrix_add(m, "last=1", NULL), -1);
	assert_int_equal(errno, E2BIG);
	vol_matrix_destroy(m);
}

static void test_points(void **state)
{
	static const char *const specs[] = {"a=x,y", "b=1..3", "c=0.5..1:0.5",
					    NULL};
	struct vol_matrix *m = make(specs, false);
	int64_t lo, step;

	(void)state;
	finish(m);
	assert_int_equal(vol_matrix_count(m), 12);
	assert_int_equal(vol_matrix_axes(m), 3);
	assert_int_equal(vol_matrix_stride(m, 0), 6);
	assert_int_equal(vol_matrix_stride(m, 1), 2);
	assert_int_equal(vol_matrix_stride(m, 2), 1);
	assert_string_equal(vol_matrix_name(m, 1), "b");
	assert_false(vol_matrix_is_integer_range(m, 0, &lo, &step));
	assert_true(vol_matrix_is_integer_range(m, 1, &lo, &step));
	assert_int_equal(lo, 1);
	assert_int_equal(step, 1);
	assert_false(vol_matrix_is_integer_range(m, 2, &lo, &step));
	vol_matrix_destroy(m);
}

static void test_zip(void **state)
{
	static const char *const same[] = {"a=x,y,z", "b=1..3", NULL};
	static const char *const other[] = {"a=x,y,z", "b=1..4", NULL};
	struct vol_matrix *m = make(same, true);
	struct vol_error err = {""};

	(void)state;
	finish(m);
	assert_int_equal(vol_matrix_count(m), 3);
	assert_int_equal(vol_matrix_stride(m, 0), 1);
	vol_matrix_destroy(m);
	m = make(other, true);
	assert_int_equal(vol_matrix_finish(m, &err), -1);
	assert_int_equal(errno, EINVAL);
	assert_contains(err.text, "b has 4");
	vol_matrix_destroy(m);
}

static void test_counts(void **state)
{
	static const char *const full[] = {"a=1..65536", "b=1..65536", NULL};
	static const char *const more[] = {"a=1..65536", "b=1..65537", NULL};
	struct vol_matrix *m = vol_matrix_create();

	(void)state;
	assert_int_equal(vol_matrix_finish(m, NULL), -1);
	assert_int_equal(errno, EINVAL);
	vol_matrix_destroy(m);
	m = make(full, false);
	finish(m);
	assert_true(vol_matrix_count(m) == UINT64_C(1) << 32);
	vol_matrix_destroy(m);
	m = make(more, false);
	assert_int_equal(vol_matrix_finish(m, NULL), -1);
	assert_int_equal(errno, EOVERFLOW);
	vol_matrix_destroy(m);
}

static void test_excludes(void **state)
{
	static const char *const specs[] = {"a=x,y,x", "b=0.5..2:0.5",
					    "c=3..1:-1", NULL};
	static const struct {
		const char *spec;
		int left; /* of 36, -1: refused */
	} cases[] = {
		{"a=x", 12},         {"a=y", 24},      {"b=1", 27},
		{"b=1.0", 27},       {"b=1.00", -1},   {"b=0.7", -1},
		{"b=2.5", -1},       {"b=0.0", -1},    {"c=3", 24},
		{"c=4", -1},         {"c=0", -1},      {"a=y,c=1", 32},
		{"a=x,b=2,c=2", 34}, {"a=z", -1},      {"d=1", -1},
		{"a", -1},           {"", -1},         {"a=x,", -1},
		{"a=x,a=y", -1},     {"a=x,,c=1", -1},
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		struct vol_matrix *m = make(specs, false);
		struct vol_error err = {""};
		int rc = vol_matrix_exclude(m, cases[i].spec, &err);
		int left = 0;

		if ((rc == 0) != (cases[i].left >= 0))
			fail_msg("'%s' -> %d %s", cases[i].spec, rc, err.text);
		finish(m);
		for (uint64_t p = 0; p < vol_matrix_count(m); p++)
			left += !vol_matrix_excluded(m, p);
		assert_int_equal(left, rc == 0 ? cases[i].left : 36);
		vol_matrix_destroy(m);
	}
}

static void write_file(const char *path, const char *text)
{
	FILE *fp = fopen(path, "w");

	assert_non_null(fp);
	fputs(text, fp);
	fclose(fp);
}

static void test_files(void **state)
{
	static const struct {
		const char *text, *values, *error;
	} cases[] = {
		{"a b\n\n# no\nc,d\n", "a b c,d", NULL},
		{"last", "last", NULL},
		{" # yes\n", " # yes", NULL},
		{"1..3\n", "1..3", NULL},
		{"", NULL, "holds no value"},
		{"#\n\n", NULL, "holds no value"},
		{"a\r\nb\r\n", NULL, ":1: "},
		{"a\n#x\nb\tc\n", NULL, ":3: "},
	};
	char path[4096], spec[4200];

	snprintf(path, sizeof(path), "%s/values", (char *)*state);
	snprintf(spec, sizeof(spec), "n=@%s", path);
	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		struct vol_matrix *m = vol_matrix_create();
		struct vol_error err = {""};

		write_file(path, cases[i].text);
		if (vol_matrix_add(m, spec, &err) == 0) {
			assert_non_null(cases[i].values);
			assert_values(m, 0, cases[i].values);
		} else {
			assert_null(cases[i].values);
			assert_contains(err.text, cases[i].error);
			assert_contains(err.text, path);
		}
		vol_matrix_destroy(m);
	}
}

/* A value with commas, which only a file can give, can be excluded. */
static void test_exclude_commas(void **state)
{
	char path[4096], spec[4200];
	struct vol_matrix *m = vol_matrix_create();

	snprintf(path, sizeof(path), "%s/values", (char *)*state);
	snprintf(spec, sizeof(spec), "f=@%s", path);
	write_file(path, "a,b\na\nc,n=1\n");
	assert_int_equal(vol_matrix_add(m, spec, NULL), 0);
	assert_int_equal(vol_matrix_add(m, "n=1..2", NULL), 0);
	assert_int_equal(vol_matrix_exclude(m, "f=a,b,n=2", NULL), 0);
	finish(m);
	for (uint64_t p = 0; p < 6; p++)
		assert_int_equal(vol_matrix_excluded(m, p), p == 1);
	vol_matrix_destroy(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_value_limits),
		cmocka_unit_test(test_points),
		cmocka_unit_test(test_zip),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_excludes),
		cmocka_unit_test_setup_teardown(test_files, vtest_folder_setup,
						vtest_folder_teardown),
		cmocka_unit_test_setup_teardown(test_exclude_commas,
						vtest_folder_setup,
						vtest_folder_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
