/* SPDX-License-Identifier: GPL-2.0-or-later */
/* server.c - listen, accept, and keep strangers few */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "cleanup.h"
#include "controller.h"
#include "log.h"

/* A burst of 10 000 devices after a power cut; the kernel caps it at
 * net.core.somaxconn. */
#define BACKLOG 4096
/* Accepted per turn of the loop, so that links already open get theirs. */
#define ACCEPT_TURN 64
/* Out of descriptors: wait instead of spinning on a readable port. */
#define FULL_US (500 * 1000ULL)

struct vol_server {
	struct vol_controller *c;
	int fd;
	sd_event_source *io, *pause;
	struct vol_peer *peers; /* owned */
};

static int may_enter(const struct vol_server *s, const struct vol_peer *p,
		     const char **reason)
{
	size_t strangers = 0, same = 0;
	const struct vol_peer *q;

	for (q = s->peers; q; q = vol_peer_next(q)) {
		if (q == p || !vol_peer_is_stranger(q))
			continue;
		strangers++;
		same += strcmp(vol_peer_address(q), vol_peer_address(p)) == 0;
	}
	*reason = strangers >= VOL_SERVER_STRANGERS
			  ? "too many links without a hello"
			  : "too many links without a hello from this address";
	return strangers < VOL_SERVER_STRANGERS &&
	       same < VOL_SERVER_STRANGERS_EACH;
}

static void welcome_stranger(struct vol_server *s, int fd)
{
	struct vol_peer *p;
	struct vol_error err;
	const char *reason;

	p = vol_peer_create(s->c, s, fd, &err);
	if (!p) {
		vol_warn("new link: %s", err.text);
		close(fd);
		return;
	}
	vol_peer_link(p, &s->peers);
	if (may_enter(s, p, &reason))
		return;
	vol_refusals_log(&s->c->refusals, "refused", vol_peer_address(p),
			 reason);
	vol_peer_destroy(p);
}

static int on_resume(sd_event_source *source, uint64_t usec, void *arg)
{
	struct vol_server *s = arg;

	(void)usec;
	(void)source;
	s->pause = sd_event_source_disable_unref(s->pause);
	sd_event_source_set_enabled(s->io, SD_EVENT_ON);
	return 0;
}

static int on_accept(sd_event_source *source, int fd, uint32_t events,
		     void *arg)
{
	struct vol_server *s = arg;
	int i, link;

	(void)events;
	for (i = 0; i < ACCEPT_TURN; i++) {
		link = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (link >= 0) {
			welcome_stranger(s, link);
			continue;
		}
		if (errno != EMFILE && errno != ENFILE && errno != ENOMEM &&
		    errno != ENOBUFS)
			return 0; /* none left, or one that went away */
		vol_warn("accept: %s; raise LimitNOFILE", strerror(errno));
		sd_event_source_set_enabled(source, SD_EVENT_OFF);
		sd_event_add_time_relative(s->c->loop, &s->pause,
					   CLOCK_MONOTONIC, FULL_US, 0,
					   on_resume, s);
		return 0;
	}
	return 0;
}

static int open_port(const struct sockaddr_storage *address)
{
	cleanup_fd int fd = -1;
	int one = 1, zero = 0;

	fd = socket(address->ss_family,
		    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (address->ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
	if (bind(fd, (const struct sockaddr *)address,
		 address->ss_family == AF_INET6
			 ? sizeof(struct sockaddr_in6)
			 : sizeof(struct sockaddr_in)) < 0 ||
	    listen(fd, BACKLOG) < 0)
		return -1;
	return steal_fd(&fd);
}

/* Without an address: IPv6 with IPv4 in it, or IPv4 where IPv6 is off. */
static int open_any(struct sockaddr_storage *address, bool any)
{
	struct sockaddr_in *a4 = (struct sockaddr_in *)address;
	uint16_t port = ((struct sockaddr_in6 *)address)->sin6_port;
	int fd = open_port(address);

	if (fd >= 0 || !any ||
	    (errno != EAFNOSUPPORT && errno != EADDRNOTAVAIL))
		return fd;
	memset(address, 0, sizeof(*address));
	a4->sin_family = AF_INET;
	a4->sin_port = port;
	return open_port(address);
}

struct vol_server *vol_server_create(struct vol_controller *c, uint16_t *port,
				     struct vol_error *err)
{
	struct sockaddr_storage address;
	struct vol_server *s;
	bool any;
	int rc;

	if (vol_listen_parse(c->conf.listen, &address, &any, err) < 0)
		return NULL;
	s = calloc(1, sizeof(*s));
	if (!s) {
		vol_errorf(err, "out of memory");
		return NULL;
	}
	s->c = c;
	s->fd = open_any(&address, any);
	if (s->fd < 0) {
		vol_errorf(err, "listen on %s: %s", c->conf.listen,
			   strerror(errno));
		goto error;
	}
	/* sin_port and sin6_port are at the same place. */
	*port = ntohs(((struct sockaddr_in *)&address)->sin_port);
	rc = sd_event_add_io(c->loop, &s->io, s->fd, EPOLLIN, on_accept, s);
	if (rc < 0) {
		vol_errorf_errno(err, -rc, "event loop: %s", strerror(-rc));
		goto error;
	}
	sd_event_source_set_enabled(s->io, SD_EVENT_OFF);
	return s;
error:
	if (s->fd >= 0)
		close(s->fd);
	free(s);
	return NULL;
}

void vol_server_open(struct vol_server *s)
{
	if (!s->pause)
		sd_event_source_set_enabled(s->io, SD_EVENT_ON);
}

void vol_server_destroy(struct vol_server *s)
{
	if (!s)
		return;
	while (s->peers)
		vol_peer_destroy(s->peers);
	sd_event_source_disable_unref(s->pause);
	sd_event_source_disable_unref(s->io);
	close(s->fd);
	free(s);
}
