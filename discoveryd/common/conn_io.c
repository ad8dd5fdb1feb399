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

void vol_conn_watch(struct vol_conn *c)
{
	uint32_t events = 0;

	switch (c->state) {
	case VOL_CONN_DIALING:
		events = EPOLLOUT;
		break;
	case VOL_CONN_OPEN:
	case VOL_CONN_FINISHING:
		events = EPOLLIN;
		if (c->out_len > c->out_off)
			events |= EPOLLOUT;
		break;
	case VOL_CONN_FAILED:
	case VOL_CONN_DEAD:
		sd_event_source_set_enabled(c->io, SD_EVENT_OFF);
		return;
	}
	sd_event_source_set_io_events(c->io, events);
}

void vol_conn_flush(struct vol_conn *c)
{
	while (c->out_off < c->out_len) {
		ssize_t n = send(c->fd, c->out + c->out_off,
				 c->out_len - c->out_off, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0) {
			vol_conn_fail(c, false, "%s", strerror(errno));
			return;
		}
		c->out_off += (size_t)n;
	}
	if (c->out_off == c->out_len) {
		free(c->out);
		c->out = NULL;
		c->out_off = c->out_len = c->out_size = 0;
		/* What we said last must not be lost to a reset, so our half
		 * is shut and the peer closes first. */
		if (c->state == VOL_CONN_FINISHING && !c->eof_sent) {
			c->eof_sent = true;
			shutdown(c->fd, SHUT_WR);
		}
	}
	vol_conn_watch(c);
}

static int reserve(struct vol_conn *c, size_t len)
{
	size_t size = c->out_size ? c->out_size : 1024;
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
	out = realloc(c->out, size);
	if (!out)
		return -1;
	c->out = out;
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
	if (idle && c->state != VOL_CONN_DIALING)
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

void vol_conn_receive(struct vol_conn *c)
{
	char buf[READ_SIZE];
	struct vol_error err;
	ssize_t n = recv(c->fd, buf, sizeof(buf), 0);

	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			vol_conn_fail(c, false, "%s", strerror(errno));
		return;
	}
	if (c->state == VOL_CONN_FINISHING) {
		/* Nobody listens any more; a peer that closed too while we
		 * still have something to say may yet read it. */
		if (n == 0 && c->out_off == c->out_len)
			c->state = VOL_CONN_DEAD;
		else if (n == 0)
			sd_event_source_set_io_events(c->io, EPOLLOUT);
		return;
	}
	if (n == 0) {
		bool inside = c->reader.len > c->reader.start;

		vol_conn_fail(c, inside, "peer closed the connection%s",
			      inside ? " inside a frame" : "");
		return;
	}
	if (vol_wire_feed(&c->reader, buf, (size_t)n, &err) < 0) {
		vol_conn_fail(c, errno == EMSGSIZE, "%s", err.text);
		return;
	}
	hand_out(c);
}
