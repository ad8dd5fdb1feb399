/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conn_io.c - bytes in and out of a connection
 *
 * An idle connection holds no buffer: a controller has ten thousand of them.
 */
#include "config.h"

#include "conn_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

/* One read a turn, so that a busy peer can not starve the others. */
#define READ_SIZE 16384

void vol_conn_wait(struct vol_conn *c, uint32_t events)
{
	if (!c->io) {
		if (c->entry.pool && vol_pool_watch(&c->entry, events) < 0)
			vol_conn_fail(c, false, "%s", strerror(errno));
		return;
	}
	if (events)
		sd_event_source_set_io_events(c->io, events);
	sd_event_source_set_enabled(c->io, events ? SD_EVENT_ON : SD_EVENT_OFF);
}

void vol_conn_watch(struct vol_conn *c)
{
	uint32_t events = 0;

	switch (c->state) {
	case VOL_CONN_DIALING:
		events = EPOLLOUT;
		break;
	case VOL_CONN_SHAKING:
		events = c->shake_writes ? EPOLLOUT : EPOLLIN;
		break;
	case VOL_CONN_OPEN:
	case VOL_CONN_FINISHING:
		events = EPOLLIN;
		if (c->out_len > c->out_off)
			events |= EPOLLOUT;
		break;
	case VOL_CONN_FAILED:
	case VOL_CONN_DEAD:
		break;
	}
	vol_conn_wait(c, events);
}

static ssize_t put(struct vol_conn *c, struct vol_error *err)
{
	const char *data = c->out + c->out_off;
	size_t len = c->out_len - c->out_off;
	ssize_t n;

	if (c->tls)
		return vol_tls_send(c->tls, data, len, err);
	do {
		n = send(c->fd, data, len, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? vol_errorf(err, "%s", strerror(errno)) : n;
}

static ssize_t get(struct vol_conn *c, void *buf, size_t len,
		   struct vol_error *err)
{
	ssize_t n;

	/* Nobody listens: whatever it is, it is thrown away. */
	if (c->tls && c->state != VOL_CONN_FINISHING)
		return vol_tls_recv(c->tls, buf, len, err);
	do {
		n = recv(c->fd, buf, len, 0);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? vol_errorf(err, "%s", strerror(errno)) : n;
}

/* What we said last must not be lost to a reset, so our half is shut and the
 * peer closes first. */
static void end_our_half(struct vol_conn *c)
{
	if (c->eof_sent)
		return;
	c->eof_sent = true;
	if (c->tls)
		vol_tls_bye(c->tls);
	shutdown(c->fd, SHUT_WR);
}

void vol_conn_forget_out(struct vol_conn *c)
{
	if (c->out)
		explicit_bzero(c->out, c->out_size);
	free(c->out);
	c->out = NULL;
	c->out_off = c->out_len = c->out_size = 0;
}

void vol_conn_flush(struct vol_conn *c)
{
	struct vol_error err;

	while (c->out_off < c->out_len) {
		ssize_t n = put(c, &err);

		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0) {
			vol_conn_fail(c, errno == EPROTO, "%s", err.text);
			return;
		}
		c->out_off += (size_t)n;
	}
	if (c->out_off == c->out_len) {
		vol_conn_forget_out(c);
		if (c->state == VOL_CONN_FINISHING)
			end_our_half(c);
	}
	vol_conn_watch(c);
}

static int reserve(struct vol_conn *c, size_t len)
{
	size_t size = c->out_size ? c->out_size : 1024, waiting;
	char *out;

	if (c->out_off > 0) {
		memmove(c->out, c->out + c->out_off, c->out_len - c->out_off);
		c->out_len -= c->out_off;
		c->out_off = 0;
	}
	while (size - c->out_len < len)
		size *= 2;
	if (size == c->out_size)
		return 0;
	/* Not realloc: what waits may be a secret. */
	out = malloc(size);
	if (!out)
		return -1;
	waiting = c->out_len;
	if (waiting)
		memcpy(out, c->out, waiting);
	vol_conn_forget_out(c);
	c->out = out;
	c->out_len = waiting;
	c->out_size = size;
	return 0;
}

int vol_conn_queue(struct vol_conn *c, const void *data, size_t len)
{
	bool idle = c->out_len == c->out_off;

	if (c->out_len - c->out_off + len > c->max_queue) {
		vol_conn_fail(c, false,
			      "peer does not read (%zu bytes waiting)",
			      c->out_len - c->out_off);
		return -1;
	}
	if (reserve(c, len) < 0) {
		vol_conn_fail(c, false, "out of memory");
		return -1;
	}
	memcpy(c->out + c->out_len, data, len);
	c->out_len += len;
	if (idle && c->state == VOL_CONN_OPEN)
		vol_conn_flush(c);
	return c->state == VOL_CONN_FAILED ? -1 : 0;
}

static void hand_out(struct vol_conn *c)
{
	struct vol_error err;

	while (c->state == VOL_CONN_OPEN) {
		json_t *msg = NULL;
		int r = vol_wire_next(&c->reader, &msg, &err);

		if (r < 0) {
			vol_conn_fail(c, true, "%s", err.text);
			return;
		}
		if (r == 0)
			break;
		c->ops->message(c, msg, c->arg);
		json_decref(msg);
	}
}

/* Nobody listens any more; a peer that closed too while we still have something
 * to say may yet read it. */
static void throw_away(struct vol_conn *c, ssize_t n)
{
	if (n == 0 && c->out_off == c->out_len)
		c->state = VOL_CONN_DEAD;
	else if (n == 0)
		vol_conn_wait(c, EPOLLOUT);
}

static void receive(struct vol_conn *c)
{
	char buf[READ_SIZE];
	struct vol_error err;
	ssize_t n = get(c, buf, sizeof(buf), &err);
	int r;

	if (n < 0) {
		if (errno != EAGAIN)
			vol_conn_fail(c, errno == EPROTO, "%s", err.text);
		return;
	}
	if (c->state == VOL_CONN_FINISHING) {
		throw_away(c, n);
		return;
	}
	if (n == 0) {
		bool inside = c->reader.len > c->reader.start;

		vol_conn_fail(c, inside, "peer closed the connection%s",
			      inside ? " inside a frame" : "");
		return;
	}
	r = vol_wire_feed(&c->reader, buf, (size_t)n, &err);
	explicit_bzero(buf, (size_t)n);
	if (r < 0)
		vol_conn_fail(c, errno == EMSGSIZE, "%s", err.text);
	else
		hand_out(c);
}

void vol_conn_receive(struct vol_conn *c)
{
	/* The socket does not tell of what TLS has read already. */
	do {
		receive(c);
	} while (c->tls && c->state == VOL_CONN_OPEN &&
		 vol_tls_pending(c->tls));
}
