/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_error.c - reasons are kept whole or marked as cut; errno survives */
#include "config.h"

#include "error.h"

#include <errno.h>

#include "vtest.h"

static void null_is_allowed(void **state)
{
	(void)state;
	errno = ENOENT;
	assert_int_equal(vol_errorf(NULL, "gone"), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(vol_errorf_errno(NULL, EPERM, "no"), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(vol_error_prefix(NULL, "outer"), -1);
	assert_int_equal(errno, EPERM);
}

static void errno_is_kept_or_made(void **state)
{
	struct vol_error err;

	(void)state;
	errno = ENOSPC;
	assert_int_equal(vol_errorf(&err, "disk %d", 7), -1);
	assert_int_equal(errno, ENOSPC);
	assert_string_equal(err.text, "disk 7");
	errno = 0;
	vol_errorf(&err, "whatever");
	assert_int_equal(errno, EINVAL);
	vol_errorf_errno(&err, ERANGE, "far");
	assert_int_equal(errno, ERANGE);
	assert_string_equal(err.text, "far");
}

static void prefix_goes_in_front(void **state)
{
	struct vol_error err;

	(void)state;
	vol_errorf_errno(&err, ENOENT, "inner");
	assert_int_equal(vol_error_prefix(&err, "outer %d", 1), -1);
	assert_string_equal(err.text, "outer 1: inner");
	assert_int_equal(errno, ENOENT);
	errno = 0;
	vol_error_prefix(&err, "again");
	assert_int_equal(errno, 0);
	assert_string_equal(err.text, "again: outer 1: inner");
}

/* Lengths around the size of the text: kept, kept, cut, cut. */
static void long_texts_are_marked(void **state)
{
	static const int lengths[] = {254, 255, 256, 5000};
	struct vol_error err;
	char text[5001];
	size_t i;

	(void)state;
	for (i = 0; i < N_ELEMENTS(lengths); i++) {
		memset(text, 'x', sizeof(text));
		text[lengths[i]] = '\0';
		vol_errorf(&err, "%s", text);
		if (lengths[i] < 256) {
			assert_string_equal(err.text, text);
			continue;
		}
		assert_int_equal(strlen(err.text), 255);
		assert_string_equal(err.text + 250, "xx...");
	}
}

static void long_prefix_is_marked(void **state)
{
	struct vol_error err;
	char text[251];

	(void)state;
	memset(text, 'y', 250);
	text[250] = '\0';
	vol_errorf(&err, "%s", text);
	vol_error_prefix(&err, "abcd");
	assert_int_equal(strlen(err.text), 255);
	assert_memory_equal(err.text, "abcd: yyy", 9);
	assert_string_equal(err.text + 251, "y...");
	vol_error_prefix(&err, "%s%s", text, text);
	assert_string_equal(err.text + 252, "...");
}

/* The cut never leaves half a character: 'e' acute is two bytes. */
static void cut_keeps_utf8_whole(void **state)
{
	struct vol_error err;
	char text[600];
	size_t shift, i, len;

	(void)state;
	for (shift = 0; shift < 2; shift++) {
		memset(text, 'a', shift);
		for (i = shift; i + 2 < sizeof(text); i += 2)
			memcpy(text + i, "\xc3\xa9", 2);
		text[i] = '\0';
		vol_errorf(&err, "%s", text);
		len = strlen(err.text);
		assert_true(len >= 254);
		assert_string_equal(err.text + len - 3, "...");
		assert_int_equal((unsigned char)err.text[len - 4], 0xa9);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(null_is_allowed),
		cmocka_unit_test(errno_is_kept_or_made),
		cmocka_unit_test(prefix_goes_in_front),
		cmocka_unit_test(long_texts_are_marked),
		cmocka_unit_test(long_prefix_is_marked),
		cmocka_unit_test(cut_keeps_utf8_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
