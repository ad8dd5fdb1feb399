/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sockbuf.c - a stream socket in large pieces */
#include "config.h"

#include "sockbuf.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct side {
	size_t at, end; /* what is in it: from, to */
	uint8_t bytes[VOL_SOCKBUF_BYTES];
};

struct vol_sockbuf {
	int fd;
	struct side in, out;
};

struct vol_sockbuf *vol_sockbuf_create(int fd)
{
	struct vol_sockbuf *b = malloc(sizeof(*b));

	if (b) {
		b->fd = fd;
		b->in.at = b->in.end = 0;
		b->out.at = b->out.end = 0;
	}
	return b;
}

void vol_sockbuf_destroy(struct vol_sockbuf *b)
{
	int saved = errno;

	free(b);
	errno = saved;
}

ssize_t vol_sockbuf_read(struct vol_sockbuf *b, void *buf, size_t len)
{
	struct side *in = &b->in;

	if (in->at == in->end) {
		ssize_t n = recv(b->fd, in->bytes, sizeof(in->bytes), 0);

		if (n <= 0)
			return n;
		in->at = 0;
		in->end = (size_t)n;
	}
	if (len > in->end - in->at)
		len = in->end - in->at;
	memcpy(buf, in->bytes + in->at, len);
	in->at += len;
	return (ssize_t)len;
}

bool vol_sockbuf_has_more(const struct vol_sockbuf *b)
{
	return b->in.at < b->in.end;
}

ssize_t vol_sockbuf_write(struct vol_sockbuf *b, const void *data, size_t len)
{
	struct side *out = &b->out;

	if (out->end == sizeof(out->bytes) && vol_sockbuf_flush(b) < 0)
		return -1;
	if (len > sizeof(out->bytes) - out->end)
		len = sizeof(out->bytes) - out->end;
	memcpy(out->bytes + out->end, data, len);
	out->end += len;
	return (ssize_t)len;
}

int vol_sockbuf_flush(struct vol_sockbuf *b)
{
	struct side *out = &b->out;

	while (out->at < out->end) {
		ssize_t n = send(b->fd, out->bytes + out->at,
				 out->end - out->at, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		out->at += (size_t)n;
	}
	out->at = out->end = 0;
	return 0;
}
