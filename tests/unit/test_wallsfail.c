/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_wallsfail.c - the word that a wall could not be built */
#include "config.h"

#include "wallsfail.h"

#include <errno.h>

#include "vtest.h"

#define V "version=1\n"
#define J "job=7\n"
#define R "reason=no user namespaces\n"

static int parse(const char *text, struct vol_wallsfail *fail,
		 struct vol_error *err)
{
	return vol_wallsfail_parse("f", text, strlen(text), fail, err);
}

static void good(void **state)
{
	struct vol_wallsfail fail;

	(void)state;
	assert_int_equal(parse(V J R, &fail, NULL), 0);
	assert_int_equal(fail.job, 7);
	assert_string_equal(fail.reason, "no user namespaces");
	assert_int_equal(parse("reason=a=b\njob=4294967295\n" V, &fail, NULL),
			 0);
	assert_int_equal(fail.job, UINT32_MAX);
	assert_string_equal(fail.reason, "a=b");
}

static const struct {
	const char *text, *error;
} bad[] = {
	{"", "f: version: missing"},
	{V R, "f: job: missing"},
	{V J, "f: reason: missing"},
	{V V, "f:2: version: given twice"},
	{V J J, "f:3: job: given twice"},
	{"version=2\n", "version: \"2\""},
	{"version=0\n", "version: \"0\""},
	{"job=-1\n", "job: \"-1\""},
	{"job=4294967296\n", "job"},
	{"job= 7\n", "job"},
	{"job\n", "job: no value"},
	{"reason=\n", "reason: \"\": empty"},
	{"reason=a\tb\n", "forbidden"},
	{"reason=\x1b[2J\n", "forbidden"},
	{"reason=\xc3\xa4\n", "forbidden"},
	{"colour=blue\n", "unknown key \"colour\""},
	{"\n", "unknown key \"\""},
	{V J "reason=half", "f:3: line without its end"},
};

static void wrong(void **state)
{
	struct vol_wallsfail fail, before;

	(void)state;
	memset(&fail, 0x5a, sizeof(fail));
	before = fail;
	for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
		struct vol_error err = {""};

		errno = 0;
		if (parse(bad[i].text, &fail, &err) != -1 || errno != EINVAL ||
		    !strstr(err.text, bad[i].error))
			fail_msg("%zu: errno %d, text \"%s\", want \"%s\"", i,
				 errno, err.text, bad[i].error);
		assert_memory_equal(&fail, &before, sizeof(fail));
	}
}

static void sizes(void **state)
{
	char reason[VOL_WALLSFAIL_REASON_SIZE + 1];
	char text[2 * VOL_WALLSFAIL_MAX];
	struct vol_wallsfail fail;
	struct vol_error err;

	(void)state;
	memset(reason, 'a', sizeof(reason));
	reason[VOL_WALLSFAIL_REASON_SIZE - 1] = '\0';
	sprintf(text, V J "reason=%s\n", reason);
	assert_int_equal(parse(text, &fail, NULL), 0);
	assert_string_equal(fail.reason, reason);
	reason[VOL_WALLSFAIL_REASON_SIZE - 1] = 'a';
	reason[VOL_WALLSFAIL_REASON_SIZE] = '\0';
	sprintf(text, V J "reason=%s\n", reason);
	assert_int_equal(parse(text, &fail, &err), -1);
	assert_contains(err.text, "too long");
	memset(text, 'a', sizeof(text));
	assert_int_equal(
		vol_wallsfail_parse("f", text, sizeof(text), &fail, &err), -1);
	assert_contains(err.text, "1024 bytes");
	assert_int_equal(vol_wallsfail_parse("f", NULL, 0, &fail, NULL), -1);
	/* Set cuts instead. */
	vol_wallsfail_set(&fail, 7, reason);
	assert_int_equal(strlen(fail.reason), VOL_WALLSFAIL_REASON_SIZE - 1);
	assert_true(vol_wallsfail_format(&fail, text, sizeof(text)) > 0);
	assert_int_equal(parse(text, &fail, NULL), 0);
}

static void format(void **state)
{
	char text[VOL_WALLSFAIL_MAX];
	struct vol_wallsfail fail, again;
	int len;

	(void)state;
	vol_wallsfail_set(&fail, 7, "mount /usr\n: donn\xc3\xa9");
	assert_string_equal(fail.reason, "mount /usr?: donn??");
	len = vol_wallsfail_format(&fail, text, sizeof(text));
	assert_int_equal(len, strlen(text));
	assert_int_equal(parse(text, &again, NULL), 0);
	assert_memory_equal(&again, &fail, sizeof(fail));
	assert_int_equal(vol_wallsfail_format(&fail, text, (size_t)len), -1);
	assert_int_equal(errno, ENOSPC);
	vol_wallsfail_set(&fail, 7, "");
	assert_string_equal(fail.reason, "unknown");
	vol_wallsfail_set(&fail, 7, NULL);
	assert_string_equal(fail.reason, "unknown");
	/* slurmd's */
	vol_wallsfail_set(&fail, 0, "x");
	assert_true(vol_wallsfail_format(&fail, text, sizeof(text)) > 0);
	assert_int_equal(parse(text, &again, NULL), 0);
	assert_int_equal(again.job, 0);
	vol_wallsfail_set(&fail, 7, "x");
	strcpy(fail.reason, "x\njob=8");
	assert_int_equal(vol_wallsfail_format(&fail, text, sizeof(text)), -1);
	assert_int_equal(errno, EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good),
		cmocka_unit_test(wrong),
		cmocka_unit_test(sizes),
		cmocka_unit_test(format),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
