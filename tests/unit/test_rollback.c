/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_rollback.c - a job's files, as they were when its image was made */
#include "config.h"

#include "rollback.h"

#include <errno.h>

#include "vtest.h"

#define S      UINT64_C(1000000000)
#define MOMENT (1000 * S)

#define GONE                          \
	{                             \
		VOL_ROLLBACK_IS_GONE, \
	}
#define FILE_OF(length, sum)                                                \
	{                                                                   \
		VOL_ROLLBACK_IS_FILE, 0644, length, 2000 * S, 2000 * S, sum \
	}
/* As it was, by its times. */
#define SAME(kind, length)                                      \
	{                                                       \
		kind, 0644, length, 900 * S + 1, 900 * S + 1, 1 \
	}

static struct vol_rollback_entry entry_of(int how, int opened)
{
	return (struct vol_rollback_entry){
		.how = how,
		.opened = opened,
		.mode = 0644,
		.length = 10,
		.mtime_ns = 900 * S + 1,
		.ctime_ns = 900 * S + 1,
		.sum = 7,
		.path = "/campaign/f",
	};
}

enum {
	SHARED = VOL_ROLLBACK_SHARED,
	OPENED = VOL_ROLLBACK_OPENED,
	OWN = VOL_ROLLBACK_OWN,
	STAT = VOL_ROLLBACK_STAT,
	SUM = VOL_ROLLBACK_SUM,
	COPY = VOL_ROLLBACK_COPY,
	FOLDER = VOL_ROLLBACK_FOLDER,
	LINK = VOL_ROLLBACK_LINK,
	TARGET = VOL_ROLLBACK_TARGET,
	OTHER = VOL_ROLLBACK_OTHER,
	CLOSED = VOL_ROLLBACK_CLOSED,
	APPEND = VOL_ROLLBACK_APPEND,
	WRITE = VOL_ROLLBACK_WRITE,
	KEEP = VOL_ROLLBACK_KEEP,
	CUT = VOL_ROLLBACK_CUT,
	PUT = VOL_ROLLBACK_PUT,
	MAKE = VOL_ROLLBACK_MAKE,
	IS_FILE = VOL_ROLLBACK_IS_FILE,
	IS_FOLDER = VOL_ROLLBACK_IS_FOLDER,
	IS_LINK = VOL_ROLLBACK_IS_LINK,
	IS_OTHER = VOL_ROLLBACK_IS_OTHER,
};

static const struct {
	int how, opened, mode;
	struct vol_rollback_now now;
	int act; /* -1: says */
	const char *says;
} judged[] = {
	/* Proven by its times, whoever has written in the folder. */
	{STAT, CLOSED, SHARED, SAME(IS_FILE, 10), KEEP, NULL},
	{COPY, CLOSED, OWN, SAME(IS_FILE, 10), KEEP, NULL},
	{LINK, CLOSED, SHARED, SAME(IS_LINK, 10), KEEP, NULL},
	/* Not what was open: it may have been mapped. */
	{STAT, WRITE, OWN, SAME(IS_FILE, 10), -1, "had it open"},
	{COPY, WRITE, OWN, SAME(IS_FILE, 10), PUT, NULL},
	/* Not what is something else now. */
	{STAT, CLOSED, OWN, SAME(IS_FOLDER, 10), -1, "was a file"},
	{COPY, CLOSED, OWN, SAME(IS_LINK, 10), -1, "was a file"},
	{LINK, CLOSED, OWN, SAME(IS_FILE, 10), -1, "was changed"},
	{FOLDER, CLOSED, OWN, SAME(IS_LINK, 10), -1, "was a folder"},
	{OTHER, CLOSED, OWN, SAME(IS_FILE, 10), -1, "is gone"},
	/* By its contents. */
	{SUM, APPEND, SHARED, FILE_OF(10, 7), KEEP, NULL},
	{SUM, APPEND, SHARED, FILE_OF(11, 7), -1, "--volunteer-files"},
	{SUM, APPEND, OPENED, FILE_OF(10, 7), CUT, NULL},
	{SUM, APPEND, OPENED, FILE_OF(11, 7), CUT, NULL},
	{SUM, APPEND, OWN, FILE_OF(11, 8), -1, "has lost"},
	{SUM, APPEND, OWN, FILE_OF(9, 7), -1, "has lost"},
	{SUM, APPEND, OWN, GONE, -1, "is gone"},
	{COPY, WRITE, OPENED, FILE_OF(10, 7), CUT, NULL},
	{COPY, WRITE, OPENED, FILE_OF(11, 8), PUT, NULL},
	{COPY, WRITE, OWN, FILE_OF(9, 7), PUT, NULL},
	{COPY, CLOSED, OWN, GONE, PUT, NULL},
	/* No image of a job with such files has copies; were there one. */
	{COPY, WRITE, SHARED, GONE, -1, "--volunteer-files"},
	{COPY, WRITE, SHARED, FILE_OF(11, 8), -1, "--volunteer-files"},
	{TARGET, CLOSED, SHARED, GONE, -1, "--volunteer-files"},
	{STAT, CLOSED, OWN, FILE_OF(10, 7), -1, "does not have it"},
	{STAT, CLOSED, OWN, GONE, -1, "is gone"},
	/* Others. */
	{FOLDER, CLOSED, SHARED, {IS_FOLDER, 0700, 9, 0, 0, 0}, KEEP, NULL},
	{FOLDER, CLOSED, SHARED, GONE, -1, "was a folder"},
	{FOLDER, CLOSED, OWN, GONE, MAKE, NULL},
	{LINK, CLOSED, OWN, {IS_LINK, 0644, 10, 0, 0, 7}, -1, "was changed"},
	{TARGET, CLOSED, OWN, {IS_LINK, 0777, 10, 0, 0, 7}, KEEP, NULL},
	{TARGET, CLOSED, OWN, {IS_LINK, 0777, 10, 0, 0, 8}, PUT, NULL},
	{TARGET, CLOSED, OWN, {IS_LINK, 0777, 9, 0, 0, 7}, PUT, NULL},
	{TARGET, CLOSED, OWN, GONE, PUT, NULL},
	{OTHER, CLOSED, SHARED, {IS_OTHER, 0600, 0, 1, 1, 0}, KEEP, NULL},
};

static void each_file_is_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(judged) / sizeof(judged[0]); i++) {
		struct vol_rollback_entry e =
			entry_of(judged[i].how, judged[i].opened);
		struct vol_error err = {""};

		errno = 0;
		assert_int_equal(vol_rollback_judge(&e, &judged[i].now,
						    judged[i].mode, MOMENT,
						    &err),
				 judged[i].act);
		if (judged[i].act >= 0)
			continue;
		assert_int_equal(errno, ESTALE);
		if (strncmp(err.text, "/campaign/f: ", 13) != 0 ||
		    !strstr(err.text, judged[i].says))
			fail_msg("%zu: %s", i, err.text);
	}
}

/* Nothing that was changed is kept because its times look right. */
static void times_prove_little(void **state)
{
	struct vol_rollback_entry e = entry_of(STAT, CLOSED);
	struct vol_rollback_now same = SAME(IS_FILE, 10), now;

	(void)state;
	now = same;
	now.mode = 0600;
	assert_int_equal(vol_rollback_judge(&e, &now, OWN, MOMENT, NULL), -1);
	now = same;
	now.length++;
	assert_int_equal(vol_rollback_judge(&e, &now, OWN, MOMENT, NULL), -1);
	now = same;
	now.ctime_ns++;
	assert_int_equal(vol_rollback_judge(&e, &now, OWN, MOMENT, NULL), -1);
	now = same;
	now.mtime_ns--;
	assert_int_equal(vol_rollback_judge(&e, &now, OWN, MOMENT, NULL), -1);
	/* Later than the image, by whatever clock. */
	assert_int_equal(vol_rollback_judge(&e, &same, OWN, 900 * S, NULL), -1);
	/* A file system with whole seconds. */
	e.ctime_ns = same.ctime_ns = 900 * S;
	assert_int_equal(vol_rollback_judge(&e, &same, OWN, MOMENT, NULL), -1);
	assert_int_equal(vol_rollback_judge(&e, &same, OWN, 5000 * S, NULL),
			 KEEP);
}

static void only_what_must_be_is_read(void **state)
{
	struct vol_rollback_now same = SAME(IS_FILE, 10),
				other = FILE_OF(10, 7);
	struct vol_rollback_entry e = entry_of(SUM, CLOSED);

	(void)state;
	assert_false(vol_rollback_reads(&e, &same, MOMENT));
	assert_true(vol_rollback_reads(&e, &other, MOMENT));
	other.length = 9;
	assert_false(vol_rollback_reads(&e, &other, MOMENT));
	e = entry_of(SUM, APPEND);
	assert_true(vol_rollback_reads(&e, &same, MOMENT));
	e = entry_of(STAT, CLOSED);
	assert_false(vol_rollback_reads(&e, &other, MOMENT));
	e = entry_of(TARGET, CLOSED);
	assert_false(vol_rollback_reads(&e, &other, MOMENT));
	other.kind = IS_LINK;
	assert_true(vol_rollback_reads(&e, &other, MOMENT));
}

#define BEGAN 800

static const struct {
	int how, opened, mode;
	uint64_t ctime_s, length;
	int want;
} planned[] = {
	/* Whose they are is not known: only looked at. */
	{STAT, CLOSED, SHARED, 900, 10, STAT},
	{STAT, WRITE, SHARED, 900, 10, SUM},
	{LINK, CLOSED, SHARED, 900, 10, LINK},
	/* What can not be written anew need not be copied. */
	{STAT, APPEND, OPENED, 900, 10, SUM},
	{STAT, WRITE, OPENED, 900, 10, COPY},
	{STAT, WRITE, OWN, 100, VOL_ROLLBACK_COPY_MAX + 1, SUM},
	{STAT, CLOSED, OWN, 900, 10, COPY},
	{STAT, CLOSED, OWN, 900, VOL_ROLLBACK_COPY_MAX + 1, SUM},
	{STAT, CLOSED, OWN, 900, VOL_ROLLBACK_READ_MAX + 1, STAT},
	{LINK, CLOSED, OWN, 100, 10, TARGET},
	{FOLDER, CLOSED, OWN, 900, 10, FOLDER},
	{OTHER, CLOSED, OWN, 900, 10, OTHER},
	/* It was there before the job; clocks differ. */
	{STAT, CLOSED, OWN, BEGAN - VOL_ROLLBACK_SKEW_S - 1, 10, STAT},
	{STAT, CLOSED, OWN, BEGAN - VOL_ROLLBACK_SKEW_S, 10, COPY},
};

static void each_file_is_planned(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(planned) / sizeof(planned[0]); i++) {
		struct vol_rollback_entry e =
			entry_of(planned[i].how, planned[i].opened);

		e.ctime_ns = planned[i].ctime_s * S;
		e.length = planned[i].length;
		assert_int_equal(vol_rollback_plan(&e, 1, planned[i].mode,
						   BEGAN, NULL),
				 0);
		if (e.how != planned[i].want)
			fail_msg("%zu: %d", i, e.how);
	}
	assert_int_equal(vol_rollback_plan(NULL, 0, OWN, 0, NULL), 0);
}

/* Files that are open come first, wherever they are in the list. */
static void there_is_so_much_room(void **state)
{
	struct vol_rollback_entry e[8];
	struct vol_error err = {""};

	(void)state;
	for (int i = 0; i < 8; i++) {
		e[i] = entry_of(STAT, i == 7 ? WRITE : CLOSED);
		e[i].length = VOL_ROLLBACK_COPY_MAX;
	}
	assert_int_equal(vol_rollback_plan(e, 8, OWN, BEGAN, NULL), 0);
	assert_int_equal(e[7].how, COPY);
	for (int i = 0; i < 7; i++)
		assert_int_equal(e[i].how, i < 3 ? COPY : SUM);
	for (int i = 0; i < 8; i++) {
		e[i] = entry_of(STAT, i >= 6 ? APPEND : CLOSED);
		e[i].length = VOL_ROLLBACK_READ_MAX / 2;
	}
	assert_int_equal(vol_rollback_plan(e, 8, OWN, BEGAN, NULL), 0);
	assert_int_equal(e[6].how, SUM);
	assert_int_equal(e[7].how, SUM);
	assert_int_equal(e[0].how, STAT);
	e[0] = entry_of(STAT, APPEND);
	e[6].how = e[7].how = STAT;
	assert_int_equal(vol_rollback_plan(e, 8, OWN, BEGAN, &err), -1);
	assert_int_equal(errno, EFBIG);
	assert_non_null(strstr(err.text, "/campaign/f: the job writes to it"));
}

static void names_of_what_is_put_aside(void **state)
{
	char long_name[NAME_MAX + 1], aside[NAME_MAX + 1];

	(void)state;
	vol_rollback_aside("frame.csv", 7, 0, aside);
	assert_string_equal(aside, ".frame.csv.volunteer-rolled-back.7");
	vol_rollback_aside("frame.csv", 4294967294u, 12, aside);
	assert_string_equal(aside,
			    ".frame.csv.volunteer-rolled-back.4294967294.12");
	assert_true(vol_rollback_is_aside(aside));
	memset(long_name, 'x', NAME_MAX);
	long_name[NAME_MAX] = '\0';
	vol_rollback_aside(long_name, 7, 999, aside);
	assert_int_equal(strlen(aside), NAME_MAX);
	assert_true(vol_rollback_is_aside(aside));
	assert_non_null(strstr(aside, "x.volunteer-rolled-back.7.999"));
	assert_false(vol_rollback_is_aside("a.volunteer-rolled-back.7"));
	assert_false(vol_rollback_is_aside(".bashrc"));
}

static void modes_have_names(void **state)
{
	struct vol_error err = {""};
	int mode = 9;

	(void)state;
	for (int i = SHARED; i <= OWN; i++) {
		assert_int_equal(
			vol_rollback_mode_parse(vol_rollback_mode_name(i),
						&mode, NULL),
			0);
		assert_int_equal(mode, i);
	}
	assert_int_equal(vol_rollback_mode_parse("mine", &mode, &err), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(mode, OWN);
	assert_string_equal(err.text, "\"mine\" is not shared, opened or own");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_file_is_judged),
		cmocka_unit_test(times_prove_little),
		cmocka_unit_test(only_what_must_be_is_read),
		cmocka_unit_test(each_file_is_planned),
		cmocka_unit_test(there_is_so_much_room),
		cmocka_unit_test(names_of_what_is_put_aside),
		cmocka_unit_test(modes_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
