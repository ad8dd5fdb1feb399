/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_users.c - who a user is, while the user database takes its time */
#include "config.h"

#include "device/users.h"

#include <errno.h>
#include <pwd.h>
#include <stdbool.h>
#include <time.h>
#include <unistd.h>

#include "vtest.h"

static sd_event *loop;
static unsigned news;

static void on_news(void *arg)
{
	(void)arg;
	news++;
}

/* 1 ann, 2 nobody, 3 no answer ever, 4 the server is down. */
static int play(uid_t uid, char name[VOL_USER_NAME_SIZE])
{
	switch (uid) {
	case 1:
		strcpy(name, "ann");
		return 1;
	case 3:
		for (;;)
			pause();
	case 4:
		errno = EIO;
		return -1;
	default:
		return 0;
	}
}

static struct vol_users *create(vol_users_f ask)
{
	struct vol_users *u;

	assert_true(sd_event_new(&loop) >= 0);
	news = 0;
	u = vol_users_create(loop, ask, on_news, NULL, NULL);
	assert_non_null(u);
	return u;
}

static void end(struct vol_users *u)
{
	vol_users_destroy(u);
	loop = sd_event_unref(loop);
}

static void wait_for_news(unsigned n)
{
	for (int i = 0; i < 1000 && news < n; i++)
		sd_event_run(loop, 10000);
	assert_int_equal(news, n);
}

static void names_come_later(void **state)
{
	struct vol_users *u = create(play);
	const char *name = NULL;

	(void)state;
	assert_int_equal(vol_users_name(u, 1, 1000, &name), VOL_USER_ASKED);
	assert_int_equal(vol_users_name(u, 2, 1000, &name), VOL_USER_ASKED);
	/* Asked once. */
	assert_int_equal(vol_users_name(u, 1, 1001, &name), VOL_USER_ASKED);
	wait_for_news(2);
	assert_int_equal(vol_users_name(u, 1, 1002, &name), VOL_USER_KNOWN);
	assert_string_equal(name, "ann");
	assert_int_equal(vol_users_name(u, 2, 1002, &name), VOL_USER_NONE);
	sd_event_run(loop, 50000);
	assert_int_equal(news, 2);
	/* He may have been made meanwhile. */
	assert_int_equal(vol_users_name(u, 2, 1000 + VOL_USERS_NONE_MS, &name),
			 VOL_USER_ASKED);
	wait_for_news(3);
	assert_int_equal(vol_users_name(u, 2, 1001 + VOL_USERS_NONE_MS, &name),
			 VOL_USER_NONE);
	assert_int_equal(vol_users_name(u, 1, 1000 + VOL_USERS_KNOWN_MS, &name),
			 VOL_USER_KNOWN);
	wait_for_news(4);
	end(u);
}

static void who_does_not_answer_is_asked_again(void **state)
{
	struct vol_users *u = create(play);
	const char *name = NULL;

	(void)state;
	for (uint64_t ms = 1000; ms < 100000; ms += 5000) {
		assert_int_equal(vol_users_name(u, 3, ms, &name),
				 VOL_USER_ASKED);
		assert_int_equal(vol_users_name(u, 4, ms, &name),
				 VOL_USER_ASKED);
		sd_event_run(loop, 5000);
	}
	assert_int_equal(news, 0);
	end(u); /* does not wait for them either */
}

/* For those who want to know now; one who does not answer costs little. */
static void some_wait(void **state)
{
	struct vol_users *u = create(play);
	const char *name = NULL;

	(void)state;
	assert_int_equal(vol_users_wait(u, 1, 1000, &name), VOL_USER_KNOWN);
	assert_string_equal(name, "ann");
	assert_int_equal(vol_users_wait(u, 2, 1000, &name), VOL_USER_NONE);
	assert_int_equal(vol_users_wait(u, 3, 1000, &name), VOL_USER_ASKED);
	assert_int_equal(vol_users_wait(u, 4, 1000, &name), VOL_USER_ASKED);
	end(u);
}

static void the_systems_users(void **state)
{
	struct vol_users *u = create(NULL);
	const char *name = NULL;

	(void)state;
	vol_users_name(u, 0, 1000, &name);
	vol_users_name(u, 4294967000, 1000, &name);
	wait_for_news(2);
	assert_int_equal(vol_users_name(u, 0, 1000, &name), VOL_USER_KNOWN);
	assert_string_equal(name, getpwuid(0)->pw_name);
	assert_int_equal(vol_users_name(u, 4294967000, 1000, &name),
			 VOL_USER_NONE);
	end(u);
	vol_users_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_come_later),
		cmocka_unit_test(who_does_not_answer_is_asked_again),
		cmocka_unit_test(some_wait),
		cmocka_unit_test(the_systems_users),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
