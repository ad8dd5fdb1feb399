/* SPDX-License-Identifier: GPL-2.0-or-later */
/* probe.c - is it only the controller's discoveryd that is gone? */
#include "config.h"

#include "device/probe.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "registry.h"

struct vol_probe {
	sd_event *loop;
	sd_event_source *io, *timer;
	int fd;
	char address[VOL_ADDRESS_SIZE];
	uint16_t slurmctld_port;
	bool refused; /* the link port was; slurmctld's turn */
	vol_probe_f done;
	void *arg;
};

static int connect_to(struct vol_probe *p, uint16_t port,
		      struct vol_error *err);

static void finish(struct vol_probe *p, bool nobody)
{
	p->io = sd_event_source_disable_unref(p->io);
	p->timer = sd_event_source_disable_unref(p->timer);
	p->done(nobody, p->arg);
}

static int on_result(sd_event_source *s, int fd, uint32_t events, void *arg)
{
	struct vol_probe *p = arg;
	socklen_t len = sizeof(int);
	int error = 0;

	(void)s;
	(void)events;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	if (p->refused || error != ECONNREFUSED) {
		finish(p, p->refused && error == 0);
		return 0;
	}
	p->refused = true;
	if (connect_to(p, p->slurmctld_port, NULL) < 0)
		finish(p, false);
	return 0;
}

static int on_timer(sd_event_source *s, uint64_t usec, void *arg)
{
	(void)s;
	(void)usec;
	finish(arg, false);
	return 0;
}

static void drop(struct vol_probe *p)
{
	p->io = sd_event_source_disable_unref(p->io);
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
}

static int connect_to(struct vol_probe *p, uint16_t port, struct vol_error *err)
{
	struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
				 .ai_socktype = SOCK_STREAM};
	struct addrinfo *ai = NULL;
	char service[8];
	int r;

	drop(p);
	snprintf(service, sizeof(service), "%u", port);
	r = getaddrinfo(p->address, service, &hints, &ai);
	if (r != 0)
		return vol_errorf_errno(err, EINVAL, "%s: %s", p->address,
					gai_strerror(r));
	p->fd = socket(ai->ai_family,
		       SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	r = p->fd < 0 ? -1 : connect(p->fd, ai->ai_addr, ai->ai_addrlen);
	freeaddrinfo(ai);
	if (r < 0 && (p->fd < 0 || errno != EINPROGRESS))
		return vol_errorf(err, "%s: %s", p->address, strerror(errno));
	r = sd_event_add_io(p->loop, &p->io, p->fd, EPOLLOUT, on_result, p);
	if (r < 0)
		return vol_errorf_errno(err, -r, "probe: %s", strerror(-r));
	return 0;
}

struct vol_probe *vol_probe_start(sd_event *loop, const char *address,
				  uint16_t link_port, uint16_t slurmctld_port,
				  vol_probe_f done, void *arg,
				  struct vol_error *err)
{
	struct vol_probe *p = calloc(1, sizeof(*p));
	int r;

	if (!p) {
		vol_errorf(err, "out of memory");
		return NULL;
	}
	p->loop = sd_event_ref(loop);
	p->fd = -1;
	snprintf(p->address, sizeof(p->address), "%s", address);
	p->slurmctld_port = slurmctld_port;
	p->done = done;
	p->arg = arg;
	if (connect_to(p, link_port, err) < 0)
		goto error;
	r = sd_event_add_time_relative(loop, &p->timer, CLOCK_MONOTONIC,
				       VOL_PROBE_MS * 1000ULL, 0, on_timer, p);
	if (r < 0) {
		vol_errorf_errno(err, -r, "probe: %s", strerror(-r));
		goto error;
	}
	return p;
error:
	vol_probe_destroy(p);
	return NULL;
}

void vol_probe_destroy(struct vol_probe *p)
{
	int saved = errno;

	if (!p)
		return;
	drop(p);
	sd_event_source_disable_unref(p->timer);
	sd_event_unref(p->loop);
	free(p);
	errno = saved;
}
