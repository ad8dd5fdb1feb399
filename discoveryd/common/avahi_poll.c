/* SPDX-License-Identifier: GPL-2.0-or-later */
/* avahi_poll.c - Avahi's event loop interface on sd-event
 *
 * Each watch works on a duplicate of the descriptor: libdbus has separate
 * watches for reading and writing on one socket, and epoll takes a descriptor
 * only once.  Avahi's timeouts are wall-clock times; they are turned into
 * monotonic ones here, so that setting the clock does not fire them.
 */
#include "config.h"

#include "avahi_poll.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/time.h>

#include "cleanup.h"

_Static_assert((int)AVAHI_WATCH_IN == (int)EPOLLIN &&
		       (int)AVAHI_WATCH_OUT == (int)EPOLLOUT &&
		       (int)AVAHI_WATCH_ERR == (int)EPOLLERR &&
		       (int)AVAHI_WATCH_HUP == (int)EPOLLHUP,
	       "poll and epoll bits differ");

/* Avahi waits whole seconds; this accuracy lets wake-ups fall together. */
#define ACCURACY_US 10000

struct AvahiWatch {
	sd_event_source *source;
	int fd, dup_fd;
	AvahiWatchEvent occurred;
	AvahiWatchCallback callback;
	void *userdata;
	bool in_callback, dead;
};

struct AvahiTimeout {
	sd_event_source *source;
	AvahiTimeoutCallback callback;
	void *userdata;
	bool in_callback, dead;
};

static int on_io(sd_event_source *s, int fd, uint32_t events, void *arg)
{
	AvahiWatch *w = arg;

	(void)s;
	(void)fd;
	w->occurred = (AvahiWatchEvent)events;
	w->in_callback = true;
	w->callback(w, w->fd, w->occurred, w->userdata);
	w->in_callback = false;
	w->occurred = 0;
	if (w->dead)
		free(w);
	return 0;
}

static AvahiWatch *watch_new(const AvahiPoll *api, int fd,
			     AvahiWatchEvent event, AvahiWatchCallback callback,
			     void *userdata)
{
	AvahiWatch *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return NULL;
	w->fd = fd;
	w->callback = callback;
	w->userdata = userdata;
	w->dup_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (w->dup_fd < 0) {
		free(w);
		return NULL;
	}
	r = sd_event_add_io(api->userdata, &w->source, w->dup_fd,
			    (uint32_t)event, on_io, w);
	if (r < 0) {
		close(w->dup_fd);
		free(w);
		errno = -r;
		return NULL;
	}
	return w;
}

static void watch_update(AvahiWatch *w, AvahiWatchEvent event)
{
	sd_event_source_set_io_events(w->source, (uint32_t)event);
}

static AvahiWatchEvent watch_get_events(AvahiWatch *w)
{
	return w->occurred;
}

static void watch_free(AvahiWatch *w)
{
	w->source = sd_event_source_disable_unref(w->source);
	close(w->dup_fd);
	w->dead = true;
	if (!w->in_callback)
		free(w);
}

static int on_time(sd_event_source *s, uint64_t usec, void *arg)
{
	AvahiTimeout *t = arg;

	(void)s;
	(void)usec;
	t->in_callback = true;
	t->callback(t, t->userdata);
	t->in_callback = false;
	if (t->dead)
		free(t);
	return 0;
}

/* Microseconds from now; {0, 0} and all that has passed are "at once". */
static uint64_t wait_us(const struct timeval *tv)
{
	struct timeval now;
	int64_t us;

	gettimeofday(&now, NULL);
	us = ((int64_t)tv->tv_sec - now.tv_sec) * 1000000 +
	     (tv->tv_usec - now.tv_usec);
	return us > 0 ? (uint64_t)us : 0;
}

static void timeout_update(AvahiTimeout *t, const struct timeval *tv)
{
	if (!tv) {
		sd_event_source_set_enabled(t->source, SD_EVENT_OFF);
		return;
	}
	sd_event_source_set_time_relative(t->source, wait_us(tv));
	sd_event_source_set_enabled(t->source, SD_EVENT_ONESHOT);
}

static AvahiTimeout *timeout_new(const AvahiPoll *api, const struct timeval *tv,
				 AvahiTimeoutCallback callback, void *userdata)
{
	AvahiTimeout *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return NULL;
	t->callback = callback;
	t->userdata = userdata;
	r = sd_event_add_time_relative(api->userdata, &t->source,
				       CLOCK_MONOTONIC, tv ? wait_us(tv) : 0,
				       ACCURACY_US, on_time, t);
	if (r < 0) {
		free(t);
		errno = -r;
		return NULL;
	}
	if (!tv)
		sd_event_source_set_enabled(t->source, SD_EVENT_OFF);
	return t;
}

static void timeout_free(AvahiTimeout *t)
{
	t->source = sd_event_source_disable_unref(t->source);
	t->dead = true;
	if (!t->in_callback)
		free(t);
}

AvahiPoll *vol_avahi_poll_create(sd_event *loop)
{
	AvahiPoll *poll = calloc(1, sizeof(*poll));

	if (!poll)
		return NULL;
	*poll = (AvahiPoll){
		.userdata = sd_event_ref(loop),
		.watch_new = watch_new,
		.watch_update = watch_update,
		.watch_get_events = watch_get_events,
		.watch_free = watch_free,
		.timeout_new = timeout_new,
		.timeout_update = timeout_update,
		.timeout_free = timeout_free,
	};
	return poll;
}

void vol_avahi_poll_destroy(AvahiPoll *poll)
{
	int saved = errno;

	if (!poll)
		return;
	sd_event_unref(poll->userdata);
	free(poll);
	errno = saved;
}
