/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pool.c - many descriptors behind one source of the event loop */
#include "config.h"

#include "pool.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

struct vol_pool {
	sd_event_source *source;
	int fd; /* epoll */
	unsigned turn;
	size_t n; /* entries */
	bool abandoned, serving;
	/* What is being served; an entry that leaves is taken out. */
	struct epoll_event batch[VOL_POOL_TURN];
	int n_batch;
};

static void release(struct vol_pool *p)
{
	sd_event_source_disable_unref(p->source);
	if (p->fd >= 0)
		close(p->fd);
	free(p);
}

static void release_if_over(struct vol_pool *p)
{
	if (p->abandoned && !p->n && !p->serving)
		release(p);
}

static int on_ready(sd_event_source *source, int fd, uint32_t events, void *arg)
{
	struct vol_pool *p = arg;
	struct vol_pool_entry *e;

	(void)source;
	(void)events;
	p->n_batch = epoll_wait(fd, p->batch, (int)p->turn, 0);
	p->serving = true;
	for (int i = 0; i < p->n_batch; i++) {
		e = p->batch[i].data.ptr;
		if (e)
			e->ready(p->batch[i].events, e->arg);
	}
	p->n_batch = 0;
	p->serving = false;
	release_if_over(p);
	return 0;
}

struct vol_pool *vol_pool_create(sd_event *loop, int64_t priority,
				 unsigned turn, struct vol_error *err)
{
	struct vol_pool *p = calloc(1, sizeof(*p));
	int rc;

	if (!p) {
		vol_errorf_errno(err, ENOMEM, "out of memory");
		return NULL;
	}
	p->turn = turn < VOL_POOL_TURN ? turn : VOL_POOL_TURN;
	p->fd = epoll_create1(EPOLL_CLOEXEC);
	rc = p->fd < 0 ? -errno
		       : sd_event_add_io(loop, &p->source, p->fd, EPOLLIN,
					 on_ready, p);
	if (rc >= 0)
		rc = sd_event_source_set_priority(p->source, priority);
	if (rc >= 0)
		return p;
	vol_errorf_errno(err, -rc, "event loop: %s", strerror(-rc));
	release(p);
	return NULL;
}

void vol_pool_destroy(struct vol_pool *p)
{
	if (!p)
		return;
	p->abandoned = true;
	release_if_over(p);
}

int vol_pool_add(struct vol_pool *p, struct vol_pool_entry *e, uint32_t events,
		 struct vol_error *err)
{
	e->pool = p;
	e->events = 0;
	p->n++;
	if (vol_pool_watch(e, events) == 0)
		return 0;
	vol_errorf(err, "can not watch the connection: %s", strerror(errno));
	vol_pool_remove(e);
	return -1;
}

int vol_pool_watch(struct vol_pool_entry *e, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = e};
	int op = EPOLL_CTL_MOD;

	if (events == e->events)
		return 0;
	if (!events)
		op = EPOLL_CTL_DEL;
	else if (!e->events)
		op = EPOLL_CTL_ADD;
	if (epoll_ctl(e->pool->fd, op, e->fd, &event) < 0)
		return -1;
	e->events = events;
	return 0;
}

void vol_pool_remove(struct vol_pool_entry *e)
{
	struct vol_pool *p = e->pool;
	int saved = errno;

	if (!p)
		return;
	if (e->events)
		(void)epoll_ctl(p->fd, EPOLL_CTL_DEL, e->fd, NULL);
	for (int i = 0; i < p->n_batch; i++)
		if (p->batch[i].data.ptr == e)
			p->batch[i].data.ptr = NULL;
	e->pool = NULL;
	e->events = 0;
	p->n--;
	release_if_over(p);
	errno = saved;
}
