/* SPDX-License-Identifier: GPL-2.0-or-later */
/* server.c - listen, accept, and keep strangers few
 *
 * While the gate is full, or we are out of descriptors, nobody is accepted:
 * who dials waits in the kernel's queue.
 */
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
#include "pool.h"

/* Who waits here must not have given up when it is let in: at 100 handshakes a
 * second, a tenth of what a slow host does, all are through within
 * VOL_CONN_SHAKE_MS.  The rest is told nothing and tries again by itself, TCP
 * after a second, discoveryd with backoff.  The kernel caps it at
 * net.core.somaxconn. */
#define BACKLOG 1024
/* Accepted per turn of the loop: a session's set-up takes 0.1 ms. */
#define ACCEPT_TURN 16
/* Served per turn: a message of a link takes 50 us, a step of a handshake 0.5
 * ms. */
#define UP_TURN    32
#define SHAKE_TURN 2
/* Out of descriptors: wait instead of spinning on a readable port. */
#define FULL_US (500 * 1000ULL)

struct vol_server {
	struct vol_controller *c;
	int fd;
	sd_event_source *io, *pause;
	bool full; /* that is why it pauses */
	struct vol_pool *up, *shaking;
	struct vol_gate gate;
	struct vol_peer *peers, *waiting; /* owned; each is in one of them */
	size_t n_waiting;
};

struct vol_pool *vol_server_pool(const struct vol_server *s, bool up)
{
	return up ? s->up : s->shaking;
}

struct vol_peer *vol_server_waiting(const struct vol_server *s)
{
	return s->waiting;
}

bool vol_server_may_wait(const struct vol_server *s, const struct vol_peer *p)
{
	struct vol_gate_network ours, its;
	const struct vol_peer *q;
	size_t same = 0;

	vol_gate_network(vol_peer_address(p), &ours);
	for (q = s->waiting; q; q = vol_peer_next(q)) {
		vol_gate_network(vol_peer_address(q), &its);
		same += memcmp(&its, &ours, sizeof(its)) == 0;
	}
	return s->n_waiting < VOL_SERVER_WAITING &&
	       same < VOL_SERVER_WAITING_EACH;
}

void vol_server_waits(struct vol_server *s, struct vol_peer *p, bool waits)
{
	vol_peer_link(p, waits ? &s->waiting : &s->peers);
	if (waits)
		s->n_waiting++;
	else
		s->n_waiting--;
}

void vol_server_drop_waiting(struct vol_server *s, const char *id)
{
	struct vol_peer *q, *next;

	for (q = s->waiting; q; q = next) {
		next = vol_peer_next(q);
		if (strcmp(vol_peer_waiting(q)->id, id) == 0)
			vol_peer_destroy(q);
	}
}

static void welcome_stranger(struct vol_server *s, int fd)
{
	struct vol_gate_network net;
	struct vol_gate_place *leaver;
	struct vol_peer *p;
	struct vol_error err;

	p = vol_peer_create(s->c, s, fd, &err);
	if (!p) {
		vol_warn("new link: %s", err.text);
		close(fd);
		return;
	}
	vol_peer_link(p, &s->peers);
	vol_gate_network(vol_peer_address(p), &net);
	leaver = vol_gate_enter(&s->gate, vol_peer_place(p), &net,
				vol_controller_now_ms());
	if (leaver)
		vol_peer_make_room(vol_peer_at(leaver));
}

static void resume(struct vol_server *s)
{
	s->pause = sd_event_source_disable_unref(s->pause);
	s->full = false;
	sd_event_source_set_enabled(s->io, SD_EVENT_ON);
}

static int on_resume(sd_event_source *source, uint64_t usec, void *arg)
{
	(void)usec;
	(void)source;
	resume(arg);
	return 0;
}

static void pause_for(struct vol_server *s, uint64_t us)
{
	sd_event_source_set_enabled(s->io, SD_EVENT_OFF);
	if (sd_event_add_time_relative(s->c->loop, &s->pause, CLOCK_MONOTONIC,
				       us, 10000, on_resume, s) < 0) {
		vol_err("port: no timer");
		resume(s);
	}
}

void vol_server_passed(struct vol_server *s, struct vol_gate_place *place)
{
	vol_gate_leave(&s->gate, place);
	if (s->full)
		resume(s);
}

static int on_accept(sd_event_source *source, int fd, uint32_t events,
		     void *arg)
{
	struct vol_server *s = arg;
	uint64_t wait_ms;
	int i, link;

	(void)source;
	(void)events;
	for (i = 0; i < ACCEPT_TURN; i++) {
		wait_ms = vol_gate_wait_ms(&s->gate, vol_controller_now_ms());
		if (wait_ms) {
			s->full = true;
			pause_for(s, wait_ms * 1000);
			return 0;
		}
		link = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (link >= 0) {
			welcome_stranger(s, link);
			continue;
		}
		if (errno != EMFILE && errno != ENFILE && errno != ENOMEM &&
		    errno != ENOBUFS)
			return 0; /* none left, or one that went away */
		vol_warn("accept: %s; raise LimitNOFILE", strerror(errno));
		pause_for(s, FULL_US);
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
	s->up = vol_pool_create(c->loop, VOL_SERVER_TURN_LINK, UP_TURN, err);
	s->shaking = vol_pool_create(c->loop, VOL_SERVER_TURN_SHAKE, SHAKE_TURN,
				     err);
	if (!s->up || !s->shaking)
		goto error;
	sd_event_source_set_priority(s->io, VOL_SERVER_TURN_ACCEPT);
	sd_event_source_set_enabled(s->io, SD_EVENT_OFF);
	return s;
error:
	sd_event_source_disable_unref(s->io);
	vol_pool_destroy(s->up);
	vol_pool_destroy(s->shaking);
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
	while (s->waiting)
		vol_peer_destroy(s->waiting);
	sd_event_source_disable_unref(s->pause);
	sd_event_source_disable_unref(s->io);
	vol_pool_destroy(s->up);
	vol_pool_destroy(s->shaking);
	close(s->fd);
	free(s);
}
