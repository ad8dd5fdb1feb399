/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_avahi_poll.c - the contract of <avahi-common/watch.h> on sd-event */
#include "config.h"

#include "avahi_poll.h"

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "vtest.h"

#define PATIENCE_US (10 * 1000 * 1000ULL)

struct fixture {
	sd_event *loop;
	AvahiPoll *poll;
	int fds[2];
};

struct seen {
	unsigned calls;
	int fd;
	AvahiWatchEvent event, got;
	const AvahiPoll *poll;
	bool free_it;
	AvahiWatch *free_other;
	const struct timeval *again;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f || sd_event_new(&f->loop) < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM, 0, f->fds) < 0)
		return -1;
	f->poll = vol_avahi_poll_create(f->loop);
	*state = f;
	return f->poll ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	vol_avahi_poll_destroy(f->poll);
	sd_event_unref(f->loop);
	close(f->fds[0]);
	close(f->fds[1]);
	free(f);
	return 0;
}

static void on_watch(AvahiWatch *w, int fd, AvahiWatchEvent event, void *arg)
{
	struct seen *s = arg;
	char buf[16];

	s->calls++;
	s->fd = fd;
	s->event = event;
	s->got = s->poll->watch_get_events(w);
	if (event & AVAHI_WATCH_IN)
		assert_true(recv(fd, buf, sizeof(buf), MSG_DONTWAIT) >= 0);
	if (s->free_other)
		s->poll->watch_free(s->free_other);
	s->free_other = NULL;
	if (s->free_it)
		s->poll->watch_free(w);
}

static void turn(sd_event *loop)
{
	assert_true(sd_event_run(loop, PATIENCE_US) > 0);
}

static bool quiet(sd_event *loop)
{
	return sd_event_run(loop, 20 * 1000) == 0;
}

static void occurred_events(void **state)
{
	struct fixture *f = *state;
	struct seen s = {.poll = f->poll};
	AvahiWatch *w = f->poll->watch_new(f->poll, f->fds[0], AVAHI_WATCH_IN,
					   on_watch, &s);

	assert_non_null(w);
	assert_true(quiet(f->loop));
	assert_int_equal(f->poll->watch_get_events(w), 0);
	assert_int_equal(write(f->fds[1], "x", 1), 1);
	turn(f->loop);
	assert_int_equal(s.calls, 1);
	assert_int_equal(s.fd, f->fds[0]);
	assert_int_equal(s.event, AVAHI_WATCH_IN);
	assert_int_equal(s.got, AVAHI_WATCH_IN);
	/* Outside of the callback nothing has happened. */
	assert_int_equal(f->poll->watch_get_events(w), 0);

	f->poll->watch_update(w, AVAHI_WATCH_OUT);
	turn(f->loop);
	assert_int_equal(s.event, AVAHI_WATCH_OUT);
	f->poll->watch_update(w, 0);
	assert_true(quiet(f->loop));
	f->poll->watch_free(w);
}

/* libdbus watches one socket twice, for reading and for writing. */
static void two_watches_on_one_descriptor(void **state)
{
	struct fixture *f = *state;
	struct seen in = {.poll = f->poll}, out = {.poll = f->poll};
	AvahiWatch *r = f->poll->watch_new(f->poll, f->fds[0], AVAHI_WATCH_IN,
					   on_watch, &in);
	AvahiWatch *w = f->poll->watch_new(f->poll, f->fds[0], AVAHI_WATCH_OUT,
					   on_watch, &out);

	assert_non_null(r);
	assert_non_null(w);
	turn(f->loop);
	assert_int_equal(out.calls, 1);
	assert_int_equal(in.calls, 0);
	f->poll->watch_free(w);
	assert_int_equal(write(f->fds[1], "x", 1), 1);
	turn(f->loop);
	assert_int_equal(in.calls, 1);
	f->poll->watch_free(r);
}

static void free_inside_callback(void **state)
{
	struct fixture *f = *state;
	struct seen in = {.poll = f->poll, .free_it = true};
	struct seen other = {.poll = f->poll};

	in.free_other = f->poll->watch_new(f->poll, f->fds[1], AVAHI_WATCH_IN,
					   on_watch, &other);
	assert_non_null(f->poll->watch_new(f->poll, f->fds[0], AVAHI_WATCH_IN,
					   on_watch, &in));
	assert_int_equal(write(f->fds[1], "x", 1), 1);
	turn(f->loop);
	assert_int_equal(in.calls, 1);
	assert_int_equal(write(f->fds[1], "x", 1), 1);
	assert_int_equal(write(f->fds[0], "x", 1), 1);
	assert_true(quiet(f->loop));
	assert_int_equal(in.calls, 1);
	assert_int_equal(other.calls, 0);
}

static void on_timeout(AvahiTimeout *t, void *arg)
{
	struct seen *s = arg;

	s->calls++;
	if (s->again)
		s->poll->timeout_update(t, s->again);
	s->again = NULL;
	if (s->free_it)
		s->poll->timeout_free(t);
}

static struct timeval in_ms(long ms)
{
	struct timeval now, add = {ms / 1000, ms % 1000 * 1000}, sum;

	gettimeofday(&now, NULL);
	timeradd(&now, &add, &sum);
	return sum;
}

static void timeouts(void **state)
{
	static const struct timeval at_once = {0, 0};
	struct fixture *f = *state;
	struct seen s = {.poll = f->poll};
	struct timeval soon = in_ms(50), late = in_ms(3600 * 1000);
	AvahiTimeout *t = f->poll->timeout_new(f->poll, NULL, on_timeout, &s);

	/* NULL is disabled, the past is now, and it fires once. */
	assert_true(quiet(f->loop));
	f->poll->timeout_update(t, &at_once);
	turn(f->loop);
	assert_int_equal(s.calls, 1);
	assert_true(quiet(f->loop));

	f->poll->timeout_update(t, &late);
	assert_true(quiet(f->loop));
	f->poll->timeout_update(t, &soon);
	turn(f->loop);
	assert_int_equal(s.calls, 2);

	f->poll->timeout_update(t, &soon);
	f->poll->timeout_update(t, NULL);
	assert_true(quiet(f->loop));
	f->poll->timeout_free(t);
}

static void timeout_update_and_free_inside_callback(void **state)
{
	static const struct timeval at_once = {0, 0};
	struct fixture *f = *state;
	struct seen s = {.poll = f->poll, .again = &at_once};
	AvahiTimeout *t =
		f->poll->timeout_new(f->poll, &at_once, on_timeout, &s);

	assert_non_null(t);
	turn(f->loop);
	assert_int_equal(s.calls, 1);
	s.free_it = true;
	turn(f->loop);
	assert_int_equal(s.calls, 2);
	assert_true(quiet(f->loop));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(occurred_events, setup,
						teardown),
		cmocka_unit_test_setup_teardown(two_watches_on_one_descriptor,
						setup, teardown),
		cmocka_unit_test_setup_teardown(free_inside_callback, setup,
						teardown),
		cmocka_unit_test_setup_teardown(timeouts, setup, teardown),
		cmocka_unit_test_setup_teardown(
			timeout_update_and_free_inside_callback, setup,
			teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
