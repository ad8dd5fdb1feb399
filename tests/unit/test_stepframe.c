/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_stepframe.c - requests of the srun inside a sandbox */
#include "config.h"

#include "stepframe.h"

#include <errno.h>
#include <string.h>

#include "vtest.h"

static char *words[] = {"srun", "-n2", "", "a b\nc", NULL};
static char *variables[] = {"A=1", "B=\xc3\xa4\n", NULL};

static struct vol_stepframe sample(void)
{
	struct vol_stepframe f = {.argc = 4,
				  .n_env = 2,
				  .umask = 027,
				  .cwd = "/campaign/alice",
				  .argv = words,
				  .env = variables};

	for (size_t i = 0; i < VOL_STEPFRAME_LIMITS; i++)
		f.limits[i] = UINT64_MAX - i;
	return f;
}

static void test_round_trip(void **state)
{
	struct vol_stepframe f = sample(), back;
	struct vol_error err = {""};
	size_t size;
	char *buf = vol_stepframe_encode(&f, &size, &err);

	(void)state;
	assert_non_null(buf);
	assert_int_equal(vol_stepframe_header(buf, &back, &err), 0);
	assert_null(back.argv);
	assert_int_equal(size, VOL_STEPFRAME_HEADER + back.text_bytes);
	assert_int_equal(
		vol_stepframe_text(buf + VOL_STEPFRAME_HEADER, &back, &err), 0);
	assert_string_equal(back.cwd, "/campaign/alice");
	assert_int_equal(back.umask, 027);
	assert_int_equal(back.argc, 4);
	assert_int_equal(back.n_env, 2);
	for (size_t i = 0; i < VOL_STEPFRAME_LIMITS; i++)
		assert_true(back.limits[i] == UINT64_MAX - i);
	for (size_t i = 0; words[i]; i++)
		assert_string_equal(back.argv[i], words[i]);
	assert_null(back.argv[4]);
	for (size_t i = 0; variables[i]; i++)
		assert_string_equal(back.env[i], variables[i]);
	assert_null(back.env[2]);
	vol_stepframe_release(&back);
	assert_null(back.argv);
	vol_stepframe_release(&back);
	free(buf);
}

/* One number of a good header is changed. */
static const struct {
	size_t at;
	uint32_t value;
	int errnum;
	const char *error;
} bad[] = {
	{0, 0, EINVAL, "not a request"},
	{4, 0x324e5552, EINVAL, "not a request"}, /* "RUN2" */
	{8, 0, EINVAL, "no arguments"},
	{8, VOL_STEPFRAME_WORDS, E2BIG, "more than"},
	{8, UINT32_MAX, E2BIG, "more than"},
	{12, VOL_STEPFRAME_WORDS - 3, E2BIG, "more than"},
	{12, UINT32_MAX - 3, E2BIG, "more than"}, /* the sum is 0 */
	{16, VOL_STEPFRAME_TEXT + 1, E2BIG, "at most 1048576"},
	{16, UINT32_MAX, E2BIG, "at most 1048576"},
	{20, 01000, EINVAL, "umask 1000"},
};

static void test_bad_header(void **state)
{
	struct vol_stepframe f = sample();
	size_t size;
	char *buf = vol_stepframe_encode(&f, &size, NULL);

	(void)state;
	assert_non_null(buf);
	for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
		char header[VOL_STEPFRAME_HEADER];
		struct vol_stepframe back, before;
		struct vol_error err = {""};

		memcpy(header, buf, sizeof(header));
		memcpy(header + bad[i].at, &bad[i].value, sizeof(uint32_t));
		memset(&back, 0x5a, sizeof(back));
		before = back;
		errno = 0;
		if (vol_stepframe_header(header, &back, &err) != -1 ||
		    errno != bad[i].errnum || !strstr(err.text, bad[i].error))
			fail_msg("%zu: errno %d, text \"%s\"", i, errno,
				 err.text);
		assert_memory_equal(&back, &before, sizeof(back));
	}
	free(buf);
}

static const struct {
	uint32_t argc, n_env;
	const char *text;
	size_t size;
	const char *error; /* NULL: good */
} texts[] = {
	{1, 0, "/\0srun", 7, NULL},
	{1, 1, "/\0srun\0A=1", 11, NULL},
	{1, 1, "/\0srun\0", 8, NULL}, /* an empty variable */
	{1, 0, "", 0, "fewer"},
	{1, 0, "/", 2, "fewer"},
	{1, 0, "/\0srun", 6, "fewer"}, /* without its NUL */
	{2, 0, "/\0srun", 7, "fewer"},
	{1, 1, "/\0srun", 7, "fewer"},
	{1, 0, "/\0srun\0", 8, "more"},
	{1, 0, "/\0srun\0x", 8, "more"},
	{1, 0, "\0srun", 6, "working folder"},
	{1, 0, "a/b\0srun", 9, "working folder"},
	{1, 0, "(unreachable)/x\0srun", 21, "working folder"},
};

static void test_texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(texts); i++) {
		struct vol_stepframe f = {.argc = texts[i].argc,
					  .n_env = texts[i].n_env,
					  .text_bytes =
						  (uint32_t)texts[i].size};
		/* Of exactly that size, for the sanitizer. */
		char *copy = malloc(texts[i].size ? texts[i].size : 1);
		struct vol_error err = {""};
		int rc;

		assert_non_null(copy);
		memcpy(copy, texts[i].text, texts[i].size);
		rc = vol_stepframe_text(copy, &f, &err);
		if (rc != (texts[i].error ? -1 : 0) ||
		    (texts[i].error && !strstr(err.text, texts[i].error)))
			fail_msg("%zu: %d \"%s\"", i, rc, err.text);
		if (rc == 0)
			vol_stepframe_release(&f);
		assert_null(f.argv);
		free(copy);
	}
}

static void test_too_much(void **state)
{
	struct vol_stepframe f = sample();
	char *large = malloc(VOL_STEPFRAME_TEXT + 1);
	char *env[] = {large, NULL};
	struct vol_error err = {""};
	size_t size, rest;
	char *buf;

	(void)state;
	assert_non_null(large);
	f.env = env;
	f.n_env = 1;
	rest = strlen(f.cwd) + 1 + 5 + 4 + 1 + 6 + 1;
	memset(large, 'x', VOL_STEPFRAME_TEXT);
	large[VOL_STEPFRAME_TEXT - rest] = '\0';
	buf = vol_stepframe_encode(&f, &size, &err);
	assert_non_null(buf);
	assert_int_equal(size, VOL_STEPFRAME_HEADER + VOL_STEPFRAME_TEXT);
	free(buf);
	large[VOL_STEPFRAME_TEXT - rest] = 'x';
	large[VOL_STEPFRAME_TEXT - rest + 1] = '\0';
	assert_null(vol_stepframe_encode(&f, &size, &err));
	assert_int_equal(errno, E2BIG);
	assert_contains(err.text, "at most 1048576");
	f.n_env = VOL_STEPFRAME_WORDS;
	assert_null(vol_stepframe_encode(&f, &size, NULL));
	assert_int_equal(errno, E2BIG);
	f.n_env = 0;
	f.argc = 0;
	assert_null(vol_stepframe_encode(&f, &size, NULL));
	assert_int_equal(errno, EINVAL);
	free(large);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_bad_header),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_too_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
