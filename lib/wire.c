/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wire.c - frames of the device link and of the control sockets
 *
 * buf[start] is always the first byte of a frame's head.  No frame is stored
 * before its announced length was found good, so the buffer is bounded.
 */
#include "config.h"

#include "wire.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "cleanup.h"
#include "text.h"

#define HEAD       4
#define FRAME_MAX  (HEAD + VOL_WIRE_MAX)
#define BUFFER_MAX (2 * FRAME_MAX)
/* Most messages are smaller; a larger buffer is given back once it is empty,
 * since the controller holds a reader for each of thousands of devices. */
#define BUFFER_MIN 1024
#define CHUNK      4096

static uint32_t load_be32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

static void store_be32(char *p, uint32_t value)
{
	p[0] = (char)(value >> 24);
	p[1] = (char)(value >> 16);
	p[2] = (char)(value >> 8);
	p[3] = (char)value;
}

static int check_announced(uint32_t n, struct vol_error *err)
{
	if (n == 0)
		return vol_errorf_errno(err, EMSGSIZE, "empty frame announced");
	if (n > VOL_WIRE_MAX)
		return vol_errorf_errno(err, EMSGSIZE,
					"frame of %u bytes announced, at most "
					"%d",
					n, VOL_WIRE_MAX);
	return 0;
}

/* Byte i of what waits followed by what came. */
static unsigned char byte_at(const struct vol_wire_reader *r, size_t waiting,
			     const char *data, size_t i)
{
	return (unsigned char)(i < waiting ? r->buf[r->start + i]
					   : data[i - waiting]);
}

/* Look at the head of every frame that is waiting or came. */
static int check_heads(const struct vol_wire_reader *r, const char *data,
		       size_t len, struct vol_error *err)
{
	size_t waiting = r->len - r->start;
	size_t left = waiting + len;
	size_t pos = 0;

	while (left - pos >= HEAD) {
		unsigned char head[HEAD];
		uint32_t n;

		for (size_t i = 0; i < HEAD; i++)
			head[i] = byte_at(r, waiting, data, pos + i);
		n = load_be32(head);
		if (check_announced(n, err) < 0)
			return -1;
		if (left - pos - HEAD < n)
			break;
		pos += HEAD + n;
	}
	return 0;
}

static void free_bytes(char *bytes, size_t len)
{
	if (bytes)
		explicit_bzero(bytes, len);
	free(bytes);
}

static int make_room(struct vol_wire_reader *r, size_t len)
{
	size_t waiting = r->len - r->start;
	size_t size = BUFFER_MIN;
	char *buf;

	if (r->start) {
		memmove(r->buf, r->buf + r->start, waiting);
		r->start = 0;
		r->len = waiting;
	}
	if (waiting + len <= r->size)
		return 0;
	while (size < waiting + len)
		size *= 2;
	/* Not realloc: what was there may be a secret. */
	buf = malloc(size);
	if (!buf)
		return -1;
	if (waiting)
		memcpy(buf, r->buf, waiting);
	free_bytes(r->buf, r->size);
	r->buf = buf;
	r->size = size;
	return 0;
}

int vol_wire_feed(struct vol_wire_reader *r, const void *data, size_t len,
		  struct vol_error *err)
{
	if (len == 0)
		return 0;
	if (len > BUFFER_MAX || r->len - r->start + len > BUFFER_MAX)
		return vol_errorf_errno(err, ENOBUFS,
					"more than %d bytes wait to be read",
					BUFFER_MAX);
	if (check_heads(r, data, len, err) < 0)
		return -1;
	if (make_room(r, len) < 0)
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	memcpy(r->buf + r->len, data, len);
	r->len += len;
	return 0;
}

/* jansson's parser recurses; brackets inside strings do not count. */
static bool too_deep(const char *text, size_t len)
{
	bool in_string = false;
	int depth = 0;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (in_string && c == '\\')
			i++;
		else if (c == '"')
			in_string = !in_string;
		else if (in_string)
			continue;
		else if ((c == '{' || c == '[') && ++depth > VOL_WIRE_DEPTH)
			return true;
		else if (c == '}' || c == ']')
			depth--;
	}
	return false;
}

static json_t *parse(const char *text, size_t len, struct vol_error *err)
{
	char excerpt[VOL_EXCERPT_SIZE];
	json_error_t error;
	json_t *msg;

	errno = EBADMSG;
	if (too_deep(text, len)) {
		vol_errorf(err, "JSON nested deeper than %d", VOL_WIRE_DEPTH);
		return NULL;
	}
	msg = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	if (!msg) {
		if (json_error_code(&error) == json_error_out_of_memory) {
			vol_errorf_errno(err, ENOMEM, "out of memory");
			return NULL;
		}
		/* jansson's text quotes the peer. */
		vol_text_excerpt(error.text, strlen(error.text), excerpt);
		vol_errorf_errno(err, EBADMSG, "not JSON at byte %d of %zu: %s",
				 error.position, len, excerpt);
		return NULL;
	}
	if (json_is_string(json_object_get(msg, "type")))
		return msg;
	vol_errorf_errno(err, EBADMSG, "%s",
			 json_is_object(msg)
				 ? "message has no member \"type\" of text"
				 : "message is not a JSON object");
	json_decref(msg);
	return NULL;
}

static void consume(struct vol_wire_reader *r, size_t len)
{
	r->start += len;
	if (r->start < r->len)
		return;
	explicit_bzero(r->buf, r->len); /* it may have been a secret */
	r->start = 0;
	r->len = 0;
	if (r->size > BUFFER_MIN)
		vol_wire_reset(r);
}

int vol_wire_next(struct vol_wire_reader *r, json_t **msg,
		  struct vol_error *err)
{
	size_t waiting = r->len - r->start;
	const char *head;
	json_t *json;
	uint32_t n;

	if (waiting < HEAD)
		return 0;
	head = r->buf + r->start;
	n = load_be32((const unsigned char *)head);
	if (waiting - HEAD < n)
		return 0;
	json = parse(head + HEAD, n, err);
	if (!json)
		return -1;
	consume(r, HEAD + n);
	*msg = json;
	return 1;
}

void vol_wire_reset(struct vol_wire_reader *r)
{
	int saved = errno;

	free_bytes(r->buf, r->size);
	*r = (struct vol_wire_reader)VOL_WIRE_READER_INIT;
	errno = saved;
}

char *vol_wire_encode(const json_t *msg, size_t *len, struct vol_error *err)
{
	cleanup_free char *frame = NULL;
	size_t n;

	if (!json_is_string(json_object_get(msg, "type"))) {
		vol_errorf_errno(err, EINVAL, "message without a type");
		return NULL;
	}
	n = json_dumpb(msg, NULL, 0, JSON_COMPACT);
	if (n == 0) {
		vol_errorf_errno(err, ENOMEM, "out of memory");
		return NULL;
	}
	if (n > VOL_WIRE_MAX) {
		vol_errorf_errno(err, EMSGSIZE,
				 "message of %zu bytes, at most %d", n,
				 VOL_WIRE_MAX);
		return NULL;
	}
	frame = malloc(HEAD + n);
	if (!frame || json_dumpb(msg, frame + HEAD, n, JSON_COMPACT) != n) {
		vol_errorf_errno(err, ENOMEM, "out of memory");
		return NULL;
	}
	if (too_deep(frame + HEAD, n)) {
		vol_errorf_errno(err, EINVAL, "message nested deeper than %d",
				 VOL_WIRE_DEPTH);
		return NULL;
	}
	store_be32(frame, (uint32_t)n);
	*len = HEAD + n;
	return steal_ptr(&frame);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Until fd is ready; -1 with ETIMEDOUT at the deadline. */
static int wait_ready(int fd, short events, int64_t deadline,
		      struct vol_error *err)
{
	struct pollfd pfd = {.fd = fd, .events = events};
	int n;

	do {
		int64_t left = deadline - now_ms();

		n = poll(&pfd, 1, left > 0 ? (int)left : 0);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return vol_errorf(err, "poll: %s", strerror(errno));
	if (n == 0)
		return vol_errorf_errno(err, ETIMEDOUT, "no answer in time");
	return 0;
}

static bool is_transient(int errnum)
{
	return errnum == EAGAIN || errnum == EWOULDBLOCK || errnum == EINTR;
}

int vol_wire_send(int fd, const json_t *msg, int timeout_ms,
		  struct vol_error *err)
{
	int64_t deadline = now_ms() + timeout_ms;
	cleanup_free char *frame = NULL;
	size_t len, done = 0;

	frame = vol_wire_encode(msg, &len, err);
	if (!frame)
		return -1;
	while (done < len) {
		ssize_t n;

		if (wait_ready(fd, POLLOUT, deadline, err) < 0)
			return -1;
		n = send(fd, frame + done, len - done,
			 MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n >= 0)
			done += (size_t)n;
		else if (!is_transient(errno))
			return vol_errorf(err, "send: %s", strerror(errno));
	}
	return 0;
}

static int receive_more(int fd, struct vol_wire_reader *r, int64_t deadline,
			struct vol_error *err)
{
	char chunk[CHUNK];
	ssize_t n;

	if (wait_ready(fd, POLLIN, deadline, err) < 0)
		return -1;
	n = recv(fd, chunk, sizeof(chunk), MSG_DONTWAIT);
	if (n > 0)
		return vol_wire_feed(r, chunk, (size_t)n, err);
	if (n == 0)
		return vol_errorf_errno(err, ECONNRESET, "%s",
					r->len > r->start
						? "peer closed the connection "
						  "in the middle of a frame"
						: "peer closed the connection");
	if (is_transient(errno))
		return 0;
	return vol_errorf(err, "recv: %s", strerror(errno));
}

json_t *vol_wire_recv(int fd, struct vol_wire_reader *r, int timeout_ms,
		      struct vol_error *err)
{
	int64_t deadline = now_ms() + timeout_ms;
	json_t *msg = NULL;
	int n;

	while ((n = vol_wire_next(r, &msg, err)) == 0) {
		if (receive_more(fd, r, deadline, err) < 0)
			return NULL;
	}
	return n > 0 ? msg : NULL;
}
