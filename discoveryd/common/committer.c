/* SPDX-License-Identifier: GPL-2.0-or-later */
/* committer.c - a thread that waits for the disk in the loop's place */
#include "config.h"

#include "committer.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "log.h"
#include "thread.h"

/* For a thread that writes buffers. */
#define STACK_BYTES (64 * 1024)

struct vol_committer {
	sd_event *loop;
	const struct vol_committer_ops *ops;
	void *arg;
	sd_event_source *wake, *retry;
	int fd; /* eventfd: the thread has finished one */
	bool busy;
	struct vol_error said;
	pthread_t thread;
	bool started;
	/* Below lock. */
	pthread_mutex_t lock;
	pthread_cond_t changed; /* any of these: */
	struct vol_wal_commit *todo;
	bool running, stop;
};

static void *run(void *arg)
{
	struct vol_committer *c = arg;
	struct vol_wal_commit *todo;

	pthread_mutex_lock(&c->lock);
	while (!c->stop) {
		todo = c->todo;
		c->todo = NULL;
		if (!todo) {
			pthread_cond_wait(&c->changed, &c->lock);
			continue;
		}
		c->running = true;
		pthread_mutex_unlock(&c->lock);
		vol_wal_commit_run(todo);
		(void)eventfd_write(c->fd, 1);
		pthread_mutex_lock(&c->lock);
		c->running = false;
		pthread_cond_broadcast(&c->changed);
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

static bool finish(struct vol_committer *c)
{
	struct vol_error why = {""};

	c->busy = false;
	if (c->ops->end(c->arg, &why)) {
		c->said.text[0] = '\0';
		return true;
	}
	if (strcmp(c->said.text, why.text) != 0)
		vol_err("%s", why.text);
	c->said = why;
	return false;
}

static int on_retry(sd_event_source *source, uint64_t usec, void *arg)
{
	(void)source;
	(void)usec;
	vol_committer_kick(arg);
	return 0;
}

static void retry_later(struct vol_committer *c)
{
	sd_event_source_disable_unref(c->retry);
	c->retry = NULL;
	if (sd_event_add_time_relative(c->loop, &c->retry, CLOCK_MONOTONIC,
				       VOL_COMMITTER_RETRY_MS * 1000ULL, 0,
				       on_retry, c) < 0)
		vol_err("no timer to write with");
}

static int on_wake(sd_event_source *source, int fd, uint32_t events, void *arg)
{
	struct vol_committer *c = arg;
	eventfd_t count;

	(void)source;
	(void)events;
	if (eventfd_read(fd, &count) < 0 || !c->busy)
		return 0;
	if (finish(c))
		vol_committer_kick(c);
	else
		retry_later(c);
	return 0;
}

void vol_committer_kick(struct vol_committer *c)
{
	struct vol_wal_commit *commit;

	if (c->busy)
		return;
	commit = c->ops->begin(c->arg);
	if (!commit)
		return;
	c->busy = true;
	pthread_mutex_lock(&c->lock);
	c->todo = commit;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
}

struct vol_committer *vol_committer_create(sd_event *loop,
					   const struct vol_committer_ops *ops,
					   void *arg, struct vol_error *err)
{
	struct vol_committer *c = calloc(1, sizeof(*c));
	int rc;

	if (!c) {
		vol_errorf_errno(err, ENOMEM, "out of memory");
		return NULL;
	}
	c->loop = sd_event_ref(loop);
	c->ops = ops;
	c->arg = arg;
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->changed, NULL);
	c->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	rc = c->fd < 0 ? -errno
		       : sd_event_add_io(loop, &c->wake, c->fd, EPOLLIN,
					 on_wake, c);
	if (rc >= 0)
		rc = -vol_thread_start(&c->thread, STACK_BYTES, run, c);
	if (rc >= 0) {
		c->started = true;
		return c;
	}
	vol_errorf_errno(err, -rc, "thread that writes: %s", strerror(-rc));
	vol_committer_destroy(c);
	return NULL;
}

/* What the thread was given and has not begun, or nothing once it is done. */
static struct vol_wal_commit *take_back(struct vol_committer *c)
{
	struct vol_wal_commit *todo;
	eventfd_t count;

	pthread_mutex_lock(&c->lock);
	todo = c->todo;
	c->todo = NULL;
	while (c->running)
		pthread_cond_wait(&c->changed, &c->lock);
	pthread_mutex_unlock(&c->lock);
	/* It must not be taken for the end of the next one. */
	(void)eventfd_read(c->fd, &count);
	return todo;
}

void vol_committer_flush(struct vol_committer *c)
{
	struct vol_wal_commit *commit = take_back(c);

	if (commit)
		vol_wal_commit_run(commit);
	if (c->busy && !finish(c)) {
		retry_later(c);
		return;
	}
	commit = c->ops->begin(c->arg);
	if (!commit)
		return;
	vol_wal_commit_run(commit);
	if (!finish(c))
		retry_later(c);
}

void vol_committer_destroy(struct vol_committer *c)
{
	int saved = errno;

	if (!c)
		return;
	if (c->started) {
		vol_committer_flush(c);
		pthread_mutex_lock(&c->lock);
		c->stop = true;
		pthread_cond_broadcast(&c->changed);
		pthread_mutex_unlock(&c->lock);
		pthread_join(c->thread, NULL);
	}
	sd_event_source_disable_unref(c->wake);
	sd_event_source_disable_unref(c->retry);
	if (c->fd >= 0)
		close(c->fd);
	pthread_cond_destroy(&c->changed);
	pthread_mutex_destroy(&c->lock);
	sd_event_unref(c->loop);
	free(c);
	errno = saved;
}
