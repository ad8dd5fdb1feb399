/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_stepwaits.c - of those who begin a job and send it on, one does */
#include "config.h"

#include "vtest.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "stepwaits.h"

/* NULL: this file system or user has no such attributes. */
static int begin(void **state)
{
	struct vol_error err = {""};

	if (vtest_folder_setup(state) != 0)
		return -1;
	if (vol_step_waits_begin(*state, &err) == 0)
		return 0;
	print_message("%s\n", err.text);
	vtest_folder_teardown(state);
	*state = NULL;
	return 0;
}

static int end(void **state)
{
	return *state ? vtest_folder_teardown(state) : 0;
}

static bool take(const char *user)
{
	int fd = open(user, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool taken = vol_step_waits_take(fd);

	close(fd);
	return taken;
}

static void one_that_begins_is_not_sent_on(void **state)
{
	struct vol_error err;

	if (!*state)
		skip();
	assert_false(vol_step_waits_ended(*state));
	assert_int_equal(vol_step_waits_end(*state, &err), 0);
	assert_true(vol_step_waits_ended(*state));
	assert_false(take(*state));
	/* A second try at an image, or the script itself after that. */
	assert_int_equal(vol_step_waits_end(*state, &err), 0);
}

static void one_that_is_sent_on_does_not_begin(void **state)
{
	struct vol_error err;

	if (!*state)
		skip();
	assert_true(take(*state));
	assert_false(take(*state));
	assert_true(vol_step_waits_ended(*state));
	assert_int_equal(vol_step_waits_end(*state, &err), -1);
	assert_int_equal(errno, ENODATA);
	assert_string_equal(err.text, "the job was sent on before it began");
}

/* Between the two attributes. */
static void who_is_killed_at_it_has_begun_nothing(void **state)
{
	struct vol_error err;

	if (!*state)
		skip();
	assert_int_equal(removexattr(*state, VOL_STEP_WAITS), 0);
	assert_false(take(*state));
	assert_int_equal(vol_step_waits_end(*state, &err), -1);
}

static void nothing_is_left_of_an_earlier_step(void **state)
{
	struct vol_error err;

	if (!*state)
		skip();
	assert_int_equal(vol_step_waits_clear(*state, &err), 0);
	assert_false(take(*state));
	assert_int_equal(vol_step_waits_begin(*state, &err), 0);
	assert_int_equal(vol_step_waits_end(*state, &err), 0);
	assert_int_equal(vol_step_waits_clear(*state, &err), 0);
	assert_int_equal(vol_step_waits_end(*state, &err), -1);
	/* Where there is nothing to be cleared. */
	assert_int_equal(vol_step_waits_clear(*state, &err), 0);
}

static void a_folder_that_is_gone(void **state)
{
	struct vol_error err;

	(void)state;
	assert_int_equal(vol_step_waits_clear("/nosuch", &err), -1);
	assert_contains(err.text, "/nosuch: ");
	assert_int_equal(vol_step_waits_begin("/nosuch", &err), -1);
	assert_contains(err.text, "/nosuch: ");
	assert_int_equal(vol_step_waits_end("/nosuch", &err), -1);
	assert_contains(err.text, "/nosuch: ");
	assert_true(vol_step_waits_ended("/nosuch"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_that_begins_is_not_sent_on),
		TEST(one_that_is_sent_on_does_not_begin),
		TEST(who_is_killed_at_it_has_begun_nothing),
		TEST(nothing_is_left_of_an_earlier_step),
		cmocka_unit_test(a_folder_that_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
