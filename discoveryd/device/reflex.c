/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reflex.c - from the owner's first input to frozen tasks, on its own thread
 *
 * Why no input after the seen-th leaves tasks thawed: the thread counts an
 * input and closes the freezer under the lock, and open compares the count and
 * thaws under the same lock.  So the thread counted before, then open refuses;
 * or it counts after, then it closes what open has thawed.  What the thread can
 * not count yet is input of a device that rests: open ends every rest and looks
 * for input that waits before it thaws, and whatever comes after its look finds
 * the device armed.
 *
 * The thread does not log, since sinks need not be safe: what a person must
 * read is left in struct device and told on the loop.
 */
#include "config.h"

#include "device/reflex.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"
#include "device/histogram.h"
#include "log.h"
#include "thread.h"

#define REST_MS   1000
#define FROZEN_MS 100
/* Deep enough for the sanitizers' frames, too. */
#define STACK_BYTES (64 * 1024)
/* A device is read at most so often in a row: one that never ends talking must
 * not keep a real-time thread. */
#define READS_MAX 16

/* Of the eventfd that ends the thread; devices count from 1. */
#define STOP 0

struct device {
	struct device *next;
	uint64_t id;
	int fd;
	bool resting;
	uint64_t rest_until_ms;
	int failed; /* errno, 0 = works */
	char name[64];
};

struct vol_reflex {
	struct vol_freezer *freezer;
	int epoll, stop, news; /* news: the thread's eventfd to the loop */
	pthread_t thread;
	bool started;

	pthread_mutex_t lock; /* for all below, up to the loop's part */
	struct device *devices;
	uint64_t last_id;
	struct vol_reflex_state state;
	struct vol_histogram histogram;
	int not_realtime, not_locked; /* errno still to be told, or 0 */
	bool at_once; /* an open machine was closed: tell without a rest */

	/* The loop's own. */
	sd_event_source *io, *timer;
	uint64_t told_ms;
	void (*changed)(void *arg);
	void *arg;
};

static uint64_t now(clockid_t clock, uint64_t per_second)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * per_second +
	       (uint64_t)t.tv_nsec / (1000000000 / per_second);
}

static uint64_t now_ms(void)
{
	return now(CLOCK_BOOTTIME, 1000);
}

static uint64_t now_us(void)
{
	return now(CLOCK_MONOTONIC, 1000000);
}

static void wake(int eventfd)
{
	const uint64_t one = 1;

	/* Full means that it is readable already. */
	(void)!write(eventfd, &one, sizeof(one));
}

/* ---- both threads: close and measure ---- */

/* Waits outside of the lock: the next input must not. */
static void measure(struct vol_reflex *r, uint64_t begin_us)
{
	vol_freezer_wait(r->freezer, FROZEN_MS);
	pthread_mutex_lock(&r->lock);
	vol_histogram_add(&r->histogram, now_us() - begin_us);
	pthread_mutex_unlock(&r->lock);
}

/* With the lock held.  Number of folders that had to be frozen. */
static unsigned close_freezer(struct vol_reflex *r)
{
	if (vol_freezer_is_closed(r->freezer))
		return 0;
	return vol_freezer_close(r->freezer);
}

/* ---- the thread ---- */

/* What was typed is nobody's business: not looked at and not left in memory. */
static void drain(struct device *d)
{
	char buf[4096];
	ssize_t n = 0;

	for (int i = 0;
	     i < READS_MAX && (n = read(d->fd, buf, sizeof(buf))) > 0; i++)
		;
	explicit_bzero(buf, sizeof(buf));
	if (n == 0)
		d->failed = ENODATA;
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		d->failed = errno;
}

static void rest(struct vol_reflex *r, struct device *d)
{
	if (d->failed) {
		epoll_ctl(r->epoll, EPOLL_CTL_DEL, d->fd, NULL);
		r->state.devices--;
		return;
	}
	d->resting = true;
	d->rest_until_ms = now_ms() + REST_MS;
}

static void arm(struct vol_reflex *r, struct device *d)
{
	struct epoll_event e = {.events = EPOLLIN | EPOLLONESHOT,
				.data.u64 = d->id};

	d->resting = false;
	/* Only a descriptor that is not in the set can fail here. */
	(void)epoll_ctl(r->epoll, EPOLL_CTL_MOD, d->fd, &e);
}

/* Something came from device id: the freezer first, everything else after. */
static void react(struct vol_reflex *r, uint64_t id, uint64_t begin_us)
{
	struct device *d;
	unsigned frozen;

	pthread_mutex_lock(&r->lock);
	for (d = r->devices; d && d->id != id; d = d->next)
		;
	if (!d) {
		pthread_mutex_unlock(&r->lock);
		return;
	}
	/* A device that fails may do so because it was pulled out by hand. */
	r->state.inputs++;
	r->at_once = r->at_once || !vol_freezer_is_closed(r->freezer);
	frozen = close_freezer(r);
	r->state.last_input_ms = now_ms();
	memcpy(r->state.last_device, d->name, sizeof(d->name));
	drain(d);
	rest(r, d);
	pthread_mutex_unlock(&r->lock);
	if (frozen > 0)
		measure(r, begin_us);
	wake(r->news);
}

/* Arm whose rest is over; milliseconds until the next one, -1 = none rests. */
static int end_rests(struct vol_reflex *r)
{
	uint64_t at = now_ms(), left;
	int wait = -1;

	pthread_mutex_lock(&r->lock);
	for (struct device *d = r->devices; d; d = d->next) {
		if (!d->resting)
			continue;
		if (d->rest_until_ms <= at) {
			arm(r, d);
			continue;
		}
		left = d->rest_until_ms - at;
		if (wait < 0 || (int)left < wait)
			wait = (int)left;
	}
	pthread_mutex_unlock(&r->lock);
	return wait;
}

static void settle_in(struct vol_reflex *r)
{
	const struct sched_param lowest = {.sched_priority = 1};
	const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	int not_realtime = 0, not_locked = 0;
	int flags = MCL_CURRENT | MCL_ONFAULT;

	if (sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &lowest)) {
		not_realtime = errno;
		(void)setpriority(PRIO_PROCESS, (id_t)gettid(), -20);
	}
	/* The owner's return is when memory is short.  Only what has been
	 * touched is kept, so this costs nothing; of this process, since the
	 * path leads through the C library, too.  Below a limit every later
	 * allocation could fail for it. */
	if (setrlimit(RLIMIT_MEMLOCK, &unlimited) == 0)
		flags |= MCL_FUTURE;
	if (mlockall(flags) < 0)
		not_locked = errno;
	pthread_mutex_lock(&r->lock);
	r->not_realtime = not_realtime;
	r->not_locked = not_locked;
	pthread_mutex_unlock(&r->lock);
	if (not_realtime || not_locked)
		wake(r->news);
}

static void *run(void *arg)
{
	struct vol_reflex *r = arg;
	struct epoll_event events[8];

	settle_in(r);
	for (;;) {
		int n = epoll_wait(r->epoll, events,
				   sizeof(events) / sizeof(events[0]),
				   end_rests(r));
		uint64_t begin_us = now_us();

		for (int i = 0; i < n; i++) {
			if (events[i].data.u64 == STOP)
				return NULL;
			react(r, events[i].data.u64, begin_us);
		}
	}
}

/* ---- the loop ---- */

static void log_start(struct vol_reflex *r)
{
	int not_realtime, not_locked;

	pthread_mutex_lock(&r->lock);
	not_realtime = r->not_realtime;
	not_locked = r->not_locked;
	r->not_realtime = r->not_locked = 0;
	pthread_mutex_unlock(&r->lock);
	if (not_realtime)
		vol_warn("no real-time priority for the reaction to input: %s",
			 strerror(not_realtime));
	if (not_locked)
		vol_warn("can not keep the reaction to input in memory: %s",
			 strerror(not_locked));
}

/* With the lock held; the caller frees it. */
static struct device *unlink_device(struct vol_reflex *r, struct device **link)
{
	struct device *d = *link;

	*link = d->next;
	if (!d->failed)
		r->state.devices--;
	return d;
}

static void free_device(struct device *d)
{
	close(d->fd);
	free(d);
}

static struct device *take_failed(struct vol_reflex *r)
{
	struct device **link = &r->devices, *found = NULL;

	pthread_mutex_lock(&r->lock);
	while (*link && !(*link)->failed)
		link = &(*link)->next;
	if (*link)
		found = unlink_device(r, link);
	pthread_mutex_unlock(&r->lock);
	return found;
}

static void bury_failed(struct vol_reflex *r)
{
	struct device *d;

	/* Logging may block, which the thread must not. */
	while ((d = take_failed(r)) != NULL) {
		vol_info("input device %s is gone: %s", d->name,
			 strerror(d->failed));
		free_device(d);
	}
}

static int tell(sd_event_source *source, uint64_t usec, void *arg)
{
	struct vol_reflex *r = arg;

	(void)source;
	(void)usec;
	r->told_ms = now_ms();
	r->changed(r->arg);
	return 0;
}

static int on_news(sd_event_source *source, int fd, uint32_t events, void *arg)
{
	struct vol_reflex *r = arg;
	uint64_t count, since;
	bool at_once;

	(void)source;
	(void)events;
	(void)!read(fd, &count, sizeof(count));
	log_start(r);
	bury_failed(r);
	pthread_mutex_lock(&r->lock);
	at_once = r->at_once;
	r->at_once = false;
	pthread_mutex_unlock(&r->lock);
	since = now_ms() - r->told_ms;
	if (at_once || r->told_ms == 0 || since >= REST_MS)
		return tell(NULL, 0, r);
	/* Still waiting from before: that one will do. */
	if (sd_event_source_get_enabled(r->timer, NULL) > 0)
		return 0;
	sd_event_source_set_time_relative(r->timer, (REST_MS - since) * 1000);
	sd_event_source_set_enabled(r->timer, SD_EVENT_ONESHOT);
	return 0;
}

static int start_loop(struct vol_reflex *r, sd_event *loop,
		      struct vol_error *err)
{
	int rc = sd_event_add_io(loop, &r->io, r->news, EPOLLIN, on_news, r);

	if (rc >= 0)
		rc = sd_event_add_time_relative(loop, &r->timer, CLOCK_BOOTTIME,
						0, 0, tell, r);
	if (rc >= 0)
		rc = sd_event_source_set_enabled(r->timer, SD_EVENT_OFF);
	if (rc < 0)
		return vol_errorf_errno(err, -rc, "reflex: %s", strerror(-rc));
	return 0;
}

/* ---- create and destroy ---- */

static int start_thread(struct vol_reflex *r, struct vol_error *err)
{
	int rc = vol_thread_start(&r->thread, STACK_BYTES, run, r);

	if (rc)
		return vol_errorf_errno(err, rc, "reflex: no thread: %s",
					strerror(rc));
	r->started = true;
	return 0;
}

static void init_lock(struct vol_reflex *r)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT);
	pthread_mutex_init(&r->lock, &attr);
	pthread_mutexattr_destroy(&attr);
}

struct vol_reflex *vol_reflex_create(sd_event *loop,
				     struct vol_freezer *freezer,
				     void (*changed)(void *arg), void *arg,
				     struct vol_error *err)
{
	struct epoll_event e = {.events = EPOLLIN, .data.u64 = STOP};
	struct vol_reflex *r = calloc(1, sizeof(*r));

	if (!r) {
		vol_errorf_errno(err, ENOMEM, "out of memory");
		return NULL;
	}
	init_lock(r);
	r->freezer = freezer;
	r->changed = changed;
	r->arg = arg;
	r->epoll = epoll_create1(EPOLL_CLOEXEC);
	r->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r->news = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (r->epoll < 0 || r->stop < 0 || r->news < 0 ||
	    epoll_ctl(r->epoll, EPOLL_CTL_ADD, r->stop, &e) < 0) {
		vol_errorf(err, "reflex: %s", strerror(errno));
		goto error;
	}
	if (start_loop(r, loop, err) < 0 || start_thread(r, err) < 0)
		goto error;
	return r;
error:
	vol_reflex_destroy(r);
	return NULL;
}

void vol_reflex_destroy(struct vol_reflex *r)
{
	int saved = errno;

	if (!r)
		return;
	if (r->started) {
		wake(r->stop);
		pthread_join(r->thread, NULL);
	}
	while (r->devices)
		free_device(unlink_device(r, &r->devices));
	sd_event_source_disable_unref(r->io);
	sd_event_source_disable_unref(r->timer);
	if (r->epoll >= 0)
		close(r->epoll);
	if (r->stop >= 0)
		close(r->stop);
	if (r->news >= 0)
		close(r->news);
	pthread_mutex_destroy(&r->lock);
	free(r);
	errno = saved;
}

/* ---- devices ---- */

/* Of a FIFO that is open for reading only, every writer that goes leaves an
 * end of file behind that would look like input for ever. */
static int without_end(int fd, struct vol_error *err)
{
	char path[64];
	struct stat st;
	int both;

	if (fstat(fd, &st) < 0 || !S_ISFIFO(st.st_mode) ||
	    (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR)
		return fd;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	both = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (both < 0)
		vol_errorf(err, "%s", strerror(errno));
	close(fd);
	return both;
}

int vol_reflex_add(struct vol_reflex *r, int fd, const char *name,
		   struct vol_error *err)
{
	struct epoll_event e = {.events = EPOLLIN | EPOLLONESHOT};
	struct device *d = calloc(1, sizeof(*d));
	cleanup_fd int owned = without_end(fd, err);
	int rc;

	if (owned < 0 || !d) {
		free(d);
		return d ? vol_error_prefix(err, "%s", name)
			 : vol_errorf_errno(err, ENOMEM, "out of memory");
	}
	snprintf(d->name, sizeof(d->name), "%s", name);
	d->fd = owned;
	pthread_mutex_lock(&r->lock);
	e.data.u64 = d->id = ++r->last_id;
	rc = epoll_ctl(r->epoll, EPOLL_CTL_ADD, owned, &e);
	if (rc == 0) {
		d->next = r->devices;
		r->devices = d;
		r->state.devices++;
	}
	pthread_mutex_unlock(&r->lock);
	if (rc < 0) {
		free(d);
		return vol_errorf(err, "%s: can not be waited for: %s", name,
				  strerror(errno));
	}
	(void)steal_fd(&owned);
	return 0;
}

void vol_reflex_remove(struct vol_reflex *r, const char *name)
{
	struct device **link = &r->devices, *found = NULL;

	pthread_mutex_lock(&r->lock);
	while (*link && strcmp((*link)->name, name) != 0)
		link = &(*link)->next;
	if (*link)
		found = unlink_device(r, link);
	pthread_mutex_unlock(&r->lock);
	if (found)
		free_device(found);
}

/* ---- state, open, close ---- */

void vol_reflex_state(struct vol_reflex *r, struct vol_reflex_state *state)
{
	pthread_mutex_lock(&r->lock);
	*state = r->state;
	pthread_mutex_unlock(&r->lock);
}

/* With the lock held. */
static bool input_waits(struct vol_reflex *r)
{
	bool waits = false;

	for (struct device *d = r->devices; d; d = d->next) {
		struct pollfd p = {.fd = d->fd, .events = POLLIN};

		if (d->failed)
			continue;
		if (d->resting)
			arm(r, d);
		/* Not here: the thread is awake by now, and will count it. */
		if (poll(&p, 1, 0) != 0)
			waits = true;
	}
	return waits;
}

int vol_reflex_open(struct vol_reflex *r, uint64_t seen)
{
	int rc = -1;

	pthread_mutex_lock(&r->lock);
	if (r->state.inputs == seen && !input_waits(r)) {
		vol_freezer_open(r->freezer);
		rc = 0;
	}
	pthread_mutex_unlock(&r->lock);
	if (rc < 0)
		errno = EAGAIN;
	return rc;
}

void vol_reflex_close(struct vol_reflex *r)
{
	uint64_t begin_us = now_us();
	unsigned frozen;

	pthread_mutex_lock(&r->lock);
	frozen = close_freezer(r);
	pthread_mutex_unlock(&r->lock);
	if (frozen > 0)
		measure(r, begin_us);
}

json_t *vol_reflex_json(struct vol_reflex *r)
{
	struct vol_histogram h;

	pthread_mutex_lock(&r->lock);
	h = r->histogram;
	pthread_mutex_unlock(&r->lock);
	return vol_histogram_json(&h);
}
