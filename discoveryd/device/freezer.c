/* SPDX-License-Identifier: GPL-2.0-or-later */
/* freezer.c - the latch over the steps of this device */
#include "config.h"

#include "device/freezer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "device/freezer_private.h"

/* The kernel's news of cgroup.events come through a kworker, which on a busy
 * machine is late by more than what we wait for, and at most every 10 ms.  So
 * one also looks while one waits, and ever less often: on a slow machine each
 * look, at real-time priority, delays the tasks that are to stop. */
#define LOOK_MS     1
#define LOOK_MAX_MS 8

static void lock_all(struct vol_freezer *f)
{
	pthread_mutex_lock(&f->slow);
	pthread_mutex_lock(&f->fast);
}

static void unlock_all(struct vol_freezer *f)
{
	pthread_mutex_unlock(&f->fast);
	pthread_mutex_unlock(&f->slow);
}

static bool must_stop(const struct vol_freezer *f,
		      const struct vol_frozen_step *s)
{
	return f->closed || s->hold;
}

/* ---- steps come and go ---- */

static struct vol_frozen_step **find(struct vol_freezer *f, pid_t stepd)
{
	struct vol_frozen_step **link = &f->steps;

	while (*link && (*link)->info.stepd != stepd)
		link = &(*link)->next;
	return link;
}

static bool is_held(const struct vol_freezer *f, uint32_t job)
{
	for (const struct vol_frozen_step *s = f->steps; s; s = s->next)
		if (s->info.job == job && s->hold)
			return true;
	return false;
}

static int add(struct vol_freezer *f, const struct vol_step *step, bool hold,
	       const char *cgroup, struct vol_error *err)
{
	struct vol_frozen_step *s = *find(f, step->stepd);
	bool news = !s;

	if (!s) {
		s = vol_frozen_step_open(f, cgroup, err);
		if (!s)
			return -1;
		s->next = f->steps;
		f->steps = s;
	}
	/* Found by its process first, by its file later. */
	if (news || s->info.job != step->job) {
		s->hold = step->job && (hold || is_held(f, step->job));
		vol_frozen_step_inform(s, step);
		if (f->cpu_pct)
			(void)vol_frozen_step_throttle(s, f->cpu_pct);
	}
	s->info.born = step->born;
	return vol_frozen_step_look(s, must_stop(f, s), err);
}

int vol_freezer_add(struct vol_freezer *f, const struct vol_step *step,
		    bool hold, const char *cgroup, struct vol_error *err)
{
	int rc;

	lock_all(f);
	rc = add(f, step, hold, cgroup, err);
	unlock_all(f);
	return rc;
}

/* NULL when it is not there. */
static struct vol_frozen_step *take_out(struct vol_freezer *f, pid_t stepd)
{
	struct vol_frozen_step **link = find(f, stepd), *s = *link;

	if (s)
		*link = s->next;
	return s;
}

void vol_freezer_remove(struct vol_freezer *f, pid_t stepd)
{
	struct vol_frozen_step *s;

	lock_all(f);
	s = take_out(f, stepd);
	unlock_all(f);
	if (!s)
		return;
	vol_frozen_step_kill(s);
	vol_frozen_step_close(s, f->inotify);
}

int vol_freezer_fd(const struct vol_freezer *f)
{
	return f->inotify;
}

/* watch < 0: at all of them. */
static int look(struct vol_freezer *f, int watch, struct vol_error *err)
{
	int rc = 0;

	for (struct vol_frozen_step *s = f->steps; s; s = s->next)
		if ((watch < 0 || s->watch == watch) &&
		    vol_frozen_step_look(s, must_stop(f, s), err) < 0)
			rc = -1;
	return rc;
}

/* Our own writes of "thaw" come when the step may run. */
static void note_touch(struct vol_freezer *f, int watch)
{
	for (struct vol_frozen_step *s = f->steps; s; s = s->next)
		if (s->watch_freeze == watch && must_stop(f, s) &&
		    vol_frozen_step_thawed(s))
			s->touched = true;
}

uint32_t vol_freezer_touched(struct vol_freezer *f)
{
	uint32_t job = 0;

	lock_all(f);
	for (struct vol_frozen_step *s = f->steps; s && !job; s = s->next) {
		if (!s->touched)
			continue;
		s->touched = false;
		job = s->info.job;
	}
	unlock_all(f);
	return job;
}

int vol_freezer_dispatch(struct vol_freezer *f, struct vol_error *err)
{
	char buf[4096]
		__attribute__((aligned(__alignof__(struct inotify_event))));
	int rc = 0, saved = 0;
	ssize_t n;

	lock_all(f);
	while ((n = read(f->inotify, buf, sizeof(buf))) > 0) {
		const struct inotify_event *e;
		int last = 0;

		for (ssize_t at = 0; at < n;
		     at += (ssize_t)sizeof(*e) + e->len) {
			e = (const void *)(buf + at);
			note_touch(f, e->wd);
			/* -1 stands for an overflow, here and in look.  Many
			 * folders of one step come in a row. */
			if (!(e->mask & IN_IGNORED) && e->wd != last &&
			    look(f, e->wd, err) < 0) {
				saved = errno;
				rc = -1;
			}
			last = e->wd;
		}
	}
	unlock_all(f);
	if (rc < 0)
		errno = saved;
	return rc;
}

/* ---- the latch ---- */

static unsigned set_all(struct vol_freezer *f, bool closed)
{
	unsigned n = 0;

	pthread_mutex_lock(&f->fast);
	f->closed = closed;
	for (struct vol_frozen_step *s = f->steps; s; s = s->next)
		if (closed || !s->hold)
			n += vol_frozen_step_set(s, closed);
	pthread_mutex_unlock(&f->fast);
	return n;
}

unsigned vol_freezer_close(struct vol_freezer *f)
{
	return set_all(f, true);
}

unsigned vol_freezer_open(struct vol_freezer *f)
{
	return set_all(f, false);
}

bool vol_freezer_is_closed(const struct vol_freezer *f)
{
	return f->closed;
}

void vol_freezer_hold(struct vol_freezer *f, uint32_t job, bool hold)
{
	lock_all(f);
	for (struct vol_frozen_step *s = f->steps; s; s = s->next) {
		if (s->info.job != job || s->hold == hold)
			continue;
		s->hold = hold;
		vol_frozen_step_set(s, must_stop(f, s));
	}
	unlock_all(f);
}

void vol_freezer_assert(struct vol_freezer *f)
{
	lock_all(f);
	for (struct vol_frozen_step *s = f->steps; s; s = s->next)
		vol_frozen_step_set(s, must_stop(f, s));
	unlock_all(f);
}

bool vol_freezer_holds(struct vol_freezer *f, uint32_t job)
{
	bool held;

	pthread_mutex_lock(&f->slow);
	held = is_held(f, job);
	pthread_mutex_unlock(&f->slow);
	return held;
}

int vol_freezer_lend(struct vol_freezer *f, pid_t stepd, struct vol_error *err)
{
	struct vol_frozen_step *s;
	bool thawed = false;

	lock_all(f);
	s = *find(f, stepd);
	if (s) {
		thawed = vol_frozen_step_thawed(s);
		s->lent = thawed;
	}
	unlock_all(f);
	if (!s)
		return vol_errorf_errno(err, ENOENT, "it is over");
	return thawed ? 0
		      : vol_errorf_errno(err, EBUSY,
					 "it has not begun, or is suspended");
}

void vol_freezer_take_back(struct vol_freezer *f, pid_t stepd)
{
	struct vol_frozen_step *s;

	lock_all(f);
	s = *find(f, stepd);
	if (s && s->lent) {
		s->lent = false;
		vol_frozen_step_set(s, must_stop(f, s));
	}
	unlock_all(f);
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* Only one thread may wait on a cgroup.events: who reads it takes the news
 * away from the others. */
bool vol_freezer_wait(struct vol_freezer *f, int timeout_ms)
{
	int64_t end = now_ms() + timeout_ms, left, look = LOOK_MS;
	const struct vol_frozen_step *s;

	pthread_mutex_lock(&f->slow);
	s = f->steps;
	while (s) {
		struct pollfd p = {.fd = vol_frozen_step_running(s),
				   .events = POLLPRI};

		if (p.fd < 0) {
			s = s->next;
			continue;
		}
		left = end - now_ms();
		if (left <= 0 ||
		    (poll(&p, 1, (int)(left < look ? left : look)) < 0 &&
		     errno != EINTR))
			break;
		look = look < LOOK_MAX_MS ? 2 * look : look;
	}
	pthread_mutex_unlock(&f->slow);
	return !s;
}

size_t vol_freezer_jobs(const struct vol_freezer *f, uint32_t *jobs, size_t n)
{
	/* The lock is no part of what the caller sees. */
	struct vol_freezer *mutable = (struct vol_freezer *)f;
	size_t found = 0;

	pthread_mutex_lock(&mutable->slow);
	for (const struct vol_frozen_step *s = f->steps; s; s = s->next) {
		const struct vol_frozen_step *before = f->steps;

		while (before != s && before->info.job != s->info.job)
			before = before->next;
		if (before != s || s->info.job == 0)
			continue;
		if (found < n)
			jobs[found] = s->info.job;
		found++;
	}
	pthread_mutex_unlock(&mutable->slow);
	return found;
}

/* ---- create and destroy ---- */

/* Two descriptors a task; the usual 1024 would do for few steps. */
static void raise_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

static void init_locks(struct vol_freezer *f)
{
	pthread_mutexattr_t attr;

	/* The loop must not hold up the reflex while something of middling
	 * priority keeps the loop from running.  None of these can fail on
	 * Linux. */
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT);
	pthread_mutex_init(&f->slow, &attr);
	pthread_mutex_init(&f->fast, &attr);
	pthread_mutexattr_destroy(&attr);
}

struct vol_freezer *vol_freezer_create(const char *root, struct vol_error *err)
{
	struct vol_freezer *f = calloc(1, sizeof(*f));

	if (!f) {
		vol_errorf_errno(err, ENOMEM, "out of memory");
		return NULL;
	}
	raise_files();
	init_locks(f);
	f->closed = true;
	f->root = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	f->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (f->root >= 0 && f->inotify >= 0)
		return f;
	vol_errorf(err, "%s: %s", f->root < 0 ? root : "inotify",
		   strerror(errno));
	vol_freezer_destroy(f);
	return NULL;
}

void vol_freezer_destroy(struct vol_freezer *f)
{
	int saved = errno;

	if (!f)
		return;
	while (f->steps) {
		struct vol_frozen_step *s = take_out(f, f->steps->info.stepd);

		vol_frozen_step_close(s, f->inotify);
	}
	if (f->root >= 0)
		close(f->root);
	if (f->inotify >= 0)
		close(f->inotify);
	pthread_mutex_destroy(&f->fast);
	pthread_mutex_destroy(&f->slow);
	free(f);
	errno = saved;
}
