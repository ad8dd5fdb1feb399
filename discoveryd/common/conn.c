/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conn.c - life of a connection: dial, attach, finish, destroy */
#include "config.h"

#include "conn_private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "cleanup.h"

#define FINISH_US (1000 * 1000ULL)

static void release(struct vol_conn *c)
{
	int saved = errno;

	sd_event_source_disable_unref(c->io);
	vol_pool_remove(&c->entry);
	sd_event_source_disable_unref(c->timer);
	sd_event_source_disable_unref(c->defer);
	sd_event_source_disable_unref(c->at_exit);
	vol_tls_destroy(c->tls);
	if (c->fd >= 0)
		close(c->fd);
	vol_wire_reset(&c->reader);
	vol_conn_forget_out(c);
	free(c->reason);
	sd_event_unref(c->loop);
	if (c->finished)
		c->finished(c->finished_arg);
	free(c);
	errno = saved;
}

/* Callbacks may destroy the connection under us: it lives until leave(). */
static void enter(struct vol_conn *c)
{
	c->depth++;
}

static void leave(struct vol_conn *c)
{
	if (--c->depth == 0 && c->state == VOL_CONN_DEAD)
		release(c);
}

static int deliver_closed(sd_event_source *s, void *arg)
{
	struct vol_conn *c = arg;

	(void)s;
	enter(c);
	if (c->state == VOL_CONN_FAILED)
		c->ops->closed(c, c->reason ? c->reason : "out of memory",
			       c->protocol, c->arg);
	leave(c);
	return 0;
}

void vol_conn_fail(struct vol_conn *c, bool protocol, const char *fmt, ...)
{
	va_list ap;

	if (c->state == VOL_CONN_FAILED || c->state == VOL_CONN_DEAD)
		return;
	free(c->reason);
	va_start(ap, fmt);
	if (vasprintf(&c->reason, fmt, ap) < 0)
		c->reason = NULL;
	va_end(ap);
	c->protocol = protocol;
	if (c->state == VOL_CONN_FINISHING) {
		c->state = VOL_CONN_DEAD;
		return;
	}
	c->state = VOL_CONN_FAILED;
	vol_conn_wait(c, 0);
	sd_event_source_set_enabled(c->defer, SD_EVENT_ONESHOT);
}

static void name_address(const struct sockaddr_storage *ss, char *buf,
			 size_t size, uint16_t *port)
{
	const struct sockaddr_in *in4 = (const struct sockaddr_in *)ss;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)ss;
	char text[INET6_ADDRSTRLEN] = "";
	char ifname[IF_NAMESIZE];

	snprintf(buf, size, "local");
	if (ss->ss_family == AF_INET) {
		inet_ntop(AF_INET, &in4->sin_addr, text, sizeof(text));
		*port = ntohs(in4->sin_port);
	} else if (ss->ss_family == AF_INET6) {
		*port = ntohs(in6->sin6_port);
		if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
			inet_ntop(AF_INET, &in6->sin6_addr.s6_addr[12], text,
				  sizeof(text));
		else
			inet_ntop(AF_INET6, &in6->sin6_addr, text,
				  sizeof(text));
	} else {
		return;
	}
	if (ss->ss_family == AF_INET6 && in6->sin6_scope_id &&
	    if_indextoname(in6->sin6_scope_id, ifname))
		snprintf(buf, size, "%s%%%s", text, ifname);
	else
		snprintf(buf, size, "%s", text);
}

static void learn_names(struct vol_conn *c)
{
	struct sockaddr_storage ss = {0};
	socklen_t len = sizeof(ss);
	uint16_t port;

	if (getpeername(c->fd, (struct sockaddr *)&ss, &len) == 0)
		name_address(&ss, c->peer, sizeof(c->peer), &c->peer_port);
	len = sizeof(ss);
	memset(&ss, 0, sizeof(ss));
	if (getsockname(c->fd, (struct sockaddr *)&ss, &len) == 0)
		name_address(&ss, c->local, sizeof(c->local), &port);
}

void vol_conn_opened(struct vol_conn *c)
{
	c->timer = sd_event_source_disable_unref(c->timer);
	c->state = VOL_CONN_OPEN;
	vol_conn_flush(c);
	if (c->state == VOL_CONN_OPEN && c->ops->connected)
		c->ops->connected(c, c->arg);
}

/* The device speaks first. */
static void begin_shaking(struct vol_conn *c)
{
	if (c->ops->reached)
		c->ops->reached(c, c->arg);
	if (c->state == VOL_CONN_SHAKING)
		vol_conn_shake(c);
}

static void finish_dial(struct vol_conn *c)
{
	struct vol_error err;
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	if (error) {
		vol_conn_fail(c, false, "can not connect: %s", strerror(error));
		return;
	}
	learn_names(c);
	if (!c->tls)
		vol_conn_opened(c);
	else if (vol_conn_shake_start(c, &err) < 0)
		vol_conn_fail(c, false, "%s", err.text);
	else
		begin_shaking(c);
}

static void serve(uint32_t events, void *arg)
{
	struct vol_conn *c = arg;

	enter(c);
	if (c->state == VOL_CONN_DIALING) {
		finish_dial(c);
	} else if (c->state == VOL_CONN_SHAKING) {
		vol_conn_shake(c);
	} else {
		if (events & EPOLLOUT)
			vol_conn_flush(c);
		if (events & (EPOLLIN | EPOLLHUP | EPOLLERR) &&
		    (c->state == VOL_CONN_OPEN ||
		     c->state == VOL_CONN_FINISHING))
			vol_conn_receive(c);
	}
	leave(c);
}

static int on_io(sd_event_source *s, int fd, uint32_t events, void *arg)
{
	(void)s;
	(void)fd;
	serve(events, arg);
	return 0;
}

static int on_timer(sd_event_source *s, uint64_t usec, void *arg)
{
	struct vol_conn *c = arg;

	(void)s;
	(void)usec;
	enter(c);
	if (c->state == VOL_CONN_SHAKING)
		vol_conn_fail(c, true, "no TLS handshake in %d ms",
			      VOL_CONN_SHAKE_MS);
	else
		vol_conn_fail(c, false, "can not connect: no answer in %d s",
			      VOL_CONN_DIAL_MS / 1000);
	leave(c);
	return 0;
}

int vol_conn_arm(struct vol_conn *c, uint64_t ms, struct vol_error *err)
{
	int r;

	c->timer = sd_event_source_disable_unref(c->timer);
	r = sd_event_add_time_relative(c->loop, &c->timer, CLOCK_MONOTONIC,
				       ms * 1000, 0, on_timer, c);
	if (r < 0)
		return vol_errorf_errno(err, -r, "can not set a timer: %s",
					strerror(-r));
	return 0;
}

void vol_conn_join(struct vol_conn *c, struct vol_pool *pool)
{
	struct vol_error err;

	c->io = sd_event_source_disable_unref(c->io);
	vol_pool_remove(&c->entry);
	c->entry.fd = c->fd;
	c->entry.ready = serve;
	c->entry.arg = c;
	if (vol_pool_add(pool, &c->entry, 0, &err) < 0)
		vol_conn_fail(c, false, "%s", err.text);
	else
		vol_conn_watch(c);
}

void vol_conn_pass(struct vol_conn *c, const struct vol_conn_ops *ops,
		   void *arg)
{
	c->ops = ops;
	c->arg = arg;
}

struct vol_tls *vol_conn_take(struct vol_conn *c, int *fd,
			      struct vol_error *err)
{
	struct vol_tls *tls = c->tls;

	if (c->state != VOL_CONN_OPEN || !tls || c->out_len > c->out_off) {
		vol_errorf_errno(err, EAGAIN, "the connection is not at rest");
		return NULL;
	}
	if (c->reader.len > c->reader.start) {
		vol_errorf_errno(err, EPROTO,
				 "something was said before its turn");
		return NULL;
	}
	enter(c);
	c->io = sd_event_source_disable_unref(c->io);
	vol_pool_remove(&c->entry);
	*fd = steal_fd(&c->fd);
	c->tls = NULL;
	c->state = VOL_CONN_DEAD;
	leave(c);
	return tls;
}

static int on_exit_loop(sd_event_source *s, void *arg)
{
	struct vol_conn *c = arg;

	(void)s;
	enter(c);
	c->state = VOL_CONN_DEAD;
	leave(c);
	return 0;
}

static struct vol_conn *create(sd_event *loop, int fd, uint32_t events,
			       size_t max_queue, const struct vol_conn_ops *ops,
			       void *arg, struct vol_error *err)
{
	struct vol_conn *c = calloc(1, sizeof(*c));
	int r = -ENOMEM;

	if (!c)
		goto error;
	c->fd = -1;
	c->loop = sd_event_ref(loop);
	c->max_queue = max_queue;
	c->ops = ops;
	c->arg = arg;
	c->state = VOL_CONN_OPEN;
	r = sd_event_add_io(loop, &c->io, fd, events, on_io, c);
	if (r < 0)
		goto error;
	r = sd_event_add_defer(loop, &c->defer, deliver_closed, c);
	if (r < 0)
		goto error;
	sd_event_source_set_enabled(c->defer, SD_EVENT_OFF);
	c->fd = fd;
	return c;
error:
	vol_errorf_errno(err, -r, "can not watch the connection: %s",
			 strerror(-r));
	if (c)
		release(c);
	return NULL;
}

static void tune(int fd)
{
	int one = 1;

	/* Harmless on a Unix socket, where it fails. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

struct vol_conn *vol_conn_attach(sd_event *loop, int fd, size_t max_queue,
				 const struct vol_conn_ops *ops, void *arg,
				 struct vol_error *err)
{
	int flags = fcntl(fd, F_GETFL);
	struct vol_conn *c;

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) {
		vol_errorf(err, "not a socket: %s", strerror(errno));
		return NULL;
	}
	c = create(loop, fd, EPOLLIN, max_queue, ops, arg, err);
	if (!c)
		return NULL;
	tune(fd);
	learn_names(c);
	return c;
}

struct vol_conn *vol_conn_attach_tls(sd_event *loop, int fd, size_t max_queue,
				     struct vol_tls_context *tls,
				     const struct vol_conn_ops *ops, void *arg,
				     struct vol_error *err)
{
	struct vol_conn *c =
		vol_conn_attach(loop, fd, max_queue, ops, arg, err);

	if (!c)
		return NULL;
	c->tls = vol_tls_create(tls, VOL_TLS_CONTROLLER, fd, NULL, err);
	if (!c->tls || vol_conn_shake_start(c, err) < 0) {
		c->fd = -1; /* still the caller's */
		vol_conn_destroy(c);
		return NULL;
	}
	return c;
}

static int begin_connect(const char *address, uint16_t port,
			 struct vol_error *err)
{
	struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
				 .ai_socktype = SOCK_STREAM};
	struct addrinfo *ai = NULL;
	cleanup_fd int fd = -1;
	char service[8];
	int r;

	snprintf(service, sizeof(service), "%u", port);
	r = getaddrinfo(address, service, &hints, &ai);
	if (r != 0)
		return vol_errorf_errno(err, EINVAL, "bad address '%s': %s",
					address, gai_strerror(r));
	fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
		    0);
	r = fd < 0 ? -1 : connect(fd, ai->ai_addr, ai->ai_addrlen);
	freeaddrinfo(ai);
	if (r < 0 && (fd < 0 || errno != EINPROGRESS))
		return vol_errorf(err, "can not connect to %s: %s", address,
				  strerror(errno));
	return steal_fd(&fd);
}

struct vol_conn *vol_conn_dial(sd_event *loop, const char *address,
			       uint16_t port, size_t max_queue,
			       const struct vol_conn_ops *ops, void *arg,
			       struct vol_error *err)
{
	cleanup_fd int fd = begin_connect(address, port, err);
	struct vol_conn *c;

	if (fd < 0)
		return NULL;
	tune(fd);
	c = create(loop, fd, EPOLLOUT, max_queue, ops, arg, err);
	if (!c)
		return NULL;
	(void)steal_fd(&fd);
	c->state = VOL_CONN_DIALING;
	snprintf(c->peer, sizeof(c->peer), "%s", address);
	c->peer_port = port;
	if (vol_conn_arm(c, VOL_CONN_DIAL_MS, err) < 0) {
		vol_conn_destroy(c);
		return NULL;
	}
	return c;
}

struct vol_conn *vol_conn_dial_tls(sd_event *loop, const char *address,
				   uint16_t port, size_t max_queue,
				   struct vol_tls_context *tls,
				   const struct vol_tls_pin *pin,
				   const struct vol_conn_ops *ops, void *arg,
				   struct vol_error *err)
{
	struct vol_conn *c =
		vol_conn_dial(loop, address, port, max_queue, ops, arg, err);

	if (!c)
		return NULL;
	c->tls = vol_tls_create(tls, VOL_TLS_DEVICE, c->fd, pin, err);
	if (!c->tls) {
		vol_conn_destroy(c);
		return NULL;
	}
	return c;
}

int vol_conn_send(struct vol_conn *c, const json_t *msg)
{
	struct vol_error err;
	char *frame;
	size_t len;
	int r;

	if (c->state != VOL_CONN_OPEN && c->state != VOL_CONN_DIALING &&
	    c->state != VOL_CONN_SHAKING)
		return -1;
	frame = vol_wire_encode(msg, &len, &err);
	if (!frame) {
		vol_conn_fail(c, false, "can not send: %s", err.text);
		return -1;
	}
	enter(c);
	r = vol_conn_queue(c, frame, len);
	explicit_bzero(frame, len);
	free(frame);
	leave(c);
	return r;
}

static int on_finish_timer(sd_event_source *s, uint64_t usec, void *arg)
{
	(void)usec;
	return on_exit_loop(s, arg);
}

void vol_conn_finish_then(struct vol_conn *c, void (*finished)(void *arg),
			  void *arg)
{
	int r = 0;

	enter(c);
	c->finished = finished;
	c->finished_arg = arg;
	if (c->state != VOL_CONN_OPEN) {
		c->state = VOL_CONN_DEAD;
		leave(c);
		return;
	}
	c->state = VOL_CONN_FINISHING;
	c->timer = sd_event_source_disable_unref(c->timer);
	r = sd_event_add_exit(c->loop, &c->at_exit, on_exit_loop, c);
	if (r >= 0)
		r = sd_event_add_time_relative(c->loop, &c->timer,
					       CLOCK_MONOTONIC, FINISH_US, 0,
					       on_finish_timer, c);
	if (r < 0)
		c->state = VOL_CONN_DEAD;
	else
		vol_conn_flush(c);
	leave(c);
}

void vol_conn_finish(struct vol_conn *c)
{
	vol_conn_finish_then(c, NULL, NULL);
}

void vol_conn_destroy(struct vol_conn *c)
{
	if (!c)
		return;
	enter(c);
	c->state = VOL_CONN_DEAD;
	leave(c);
}

const char *vol_conn_peer(const struct vol_conn *c)
{
	return c->peer;
}

uint16_t vol_conn_peer_port(const struct vol_conn *c)
{
	return c->peer_port;
}

const char *vol_conn_local(const struct vol_conn *c)
{
	return c->local;
}

int vol_conn_fd(const struct vol_conn *c)
{
	return c->fd;
}

const struct vol_fingerprint *vol_conn_peer_key(const struct vol_conn *c)
{
	return c->tls ? vol_tls_peer(c->tls) : NULL;
}
