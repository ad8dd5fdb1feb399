/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_pool.c - many descriptors behind one source */
#include "config.h"

#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pool.h"

#include "vtest.h"

#define PAIRS 200

struct pair {
	struct vol_pool_entry entry;
	int far;
	unsigned served;
	struct pair *closes; /* this one, when it is served */
};

static struct pair pairs[PAIRS];
static sd_event *loop;
static struct vol_pool *pool;
static unsigned served;

static void drop(struct pair *p)
{
	vol_pool_remove(&p->entry);
	if (p->entry.fd >= 0)
		close(p->entry.fd);
	p->entry.fd = -1;
}

/* Reads nothing: it stays ready. */
static void on_ready(uint32_t events, void *arg)
{
	struct pair *p = arg;

	assert_true(events & EPOLLIN);
	p->served++;
	served++;
	if (p->closes)
		drop(p->closes);
}

static int setup(void **state)
{
	int fds[2];

	(void)state;
	served = 0;
	if (sd_event_new(&loop) < 0)
		return -1;
	pool = vol_pool_create(loop, 0, 8, NULL);
	for (size_t i = 0; i < PAIRS; i++) {
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0)
			return -1;
		pairs[i] = (struct pair){
			.entry = {.fd = fds[0],
				  .ready = on_ready,
				  .arg = &pairs[i]},
			.far = fds[1],
		};
		if (write(fds[1], "x", 1) != 1)
			return -1;
	}
	return pool ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < PAIRS; i++) {
		drop(&pairs[i]);
		close(pairs[i].far);
	}
	vol_pool_destroy(pool);
	sd_event_unref(loop);
	return 0;
}

static void add(size_t i)
{
	assert_int_equal(vol_pool_add(pool, &pairs[i].entry, EPOLLIN, NULL), 0);
}

static bool turn(void)
{
	int r = sd_event_run(loop, 0);

	assert_true(r >= 0);
	return r > 0;
}

/* A few a turn, and nobody twice before all others. */
static void all_in_turns(void **state)
{
	(void)state;
	for (size_t i = 0; i < PAIRS; i++)
		add(i);
	for (unsigned rounds = 1; rounds <= 3; rounds++) {
		while (served < rounds * PAIRS) {
			unsigned before = served;

			assert_true(turn());
			assert_int_equal(served - before, 8);
		}
		for (size_t i = 0; i < PAIRS; i++)
			assert_int_equal(pairs[i].served, rounds);
	}
}

static void only_what_is_watched(void **state)
{
	(void)state;
	add(0);
	add(1);
	assert_int_equal(vol_pool_watch(&pairs[0].entry, 0), 0);
	assert_true(turn());
	assert_int_equal(pairs[0].served, 0);
	assert_int_equal(pairs[1].served, 1);
	vol_pool_remove(&pairs[1].entry);
	vol_pool_remove(&pairs[1].entry);
	/* Not even that the other end is gone. */
	close(pairs[0].far);
	assert_false(turn());
	assert_int_equal(vol_pool_watch(&pairs[0].entry, EPOLLIN), 0);
	assert_true(turn());
	assert_int_equal(pairs[0].served, 1);
	pairs[0].far = -1;
}

/* One that was ready, too, is gone before its turn. */
static void removed_by_another(void **state)
{
	(void)state;
	add(0);
	add(1);
	pairs[0].closes = &pairs[1];
	pairs[1].closes = &pairs[0];
	assert_true(turn());
	assert_int_equal(served, 1);
	while (turn() && served < 3)
		;
	assert_true(pairs[0].served == 0 || pairs[1].served == 0);
}

static void gone_with_the_last(void **state)
{
	struct vol_pool *other = vol_pool_create(loop, 5, 8, NULL);

	(void)state;
	assert_non_null(other);
	assert_int_equal(vol_pool_add(other, &pairs[0].entry, EPOLLIN, NULL),
			 0);
	vol_pool_destroy(other);
	assert_true(turn());
	assert_int_equal(pairs[0].served, 1);
	/* It closes itself, while it is served. */
	pairs[0].closes = &pairs[0];
	assert_true(turn());
	assert_int_equal(pairs[0].served, 2);
	assert_false(turn());
	vol_pool_destroy(NULL);
}

int main(void)
{
#define pool_test(_f) cmocka_unit_test_setup_teardown(_f, setup, teardown)
	const struct CMUnitTest tests[] = {
		pool_test(all_in_turns),
		pool_test(only_what_is_watched),
		pool_test(removed_by_another),
		pool_test(gone_with_the_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
