/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wire.h - frames of the device link and of the control sockets
 *
 * A frame is a 4-byte big-endian length N (1 <= N <= VOL_WIRE_MAX) followed by
 * N bytes: one JSON object in UTF-8 with a string member "type".  Anything
 * else is a protocol error; the connection must be closed, since the stream
 * can not be resynchronised.
 */
#ifndef VOL_WIRE_H
#define VOL_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "error.h"

/* A hello with the largest machine's facts is under 4 KiB; 64 KiB bounds what
 * an unknown peer can make us hold. */
#define VOL_WIRE_MAX (64 * 1024)
/* Nesting of our own messages is 3; jansson's parser recurses, so the bytes
 * are scanned for depth before they are parsed. */
#define VOL_WIRE_DEPTH 16

/* Collects bytes and cuts frames out of them.  Holds at most two frames. */
struct vol_wire_reader {
	char *buf;         /* owned; NULL when nothing waits */
	size_t start, len; /* what waits: buf[start] .. buf[len - 1] */
	size_t size;
};
#define VOL_WIRE_READER_INIT  \
	{                     \
		NULL, 0, 0, 0 \
	}

/* Append what was received; take all frames out before the next call.  ENOMEM,
 * EMSGSIZE when the announced frame is larger than VOL_WIRE_MAX or empty
 * (checked before anything is stored), ENOBUFS when more than two largest
 * frames would wait. */
int vol_wire_feed(struct vol_wire_reader *r, const void *data, size_t len,
		  struct vol_error *err);

/* Next whole frame: 1 and *msg (caller decrefs), 0 if more bytes are needed,
 * -1 with EBADMSG on a malformed frame (and again if asked again) or ENOMEM. */
int vol_wire_next(struct vol_wire_reader *r, json_t **msg,
		  struct vol_error *err);

/* Free the buffer and make the reader as new. */
void vol_wire_reset(struct vol_wire_reader *r);

/* Frame as bytes: malloc'ed, length in *len.  NULL with EMSGSIZE, ENOMEM, or
 * EINVAL for what the other end would refuse.  Does not take the reference. */
char *vol_wire_encode(const json_t *msg, size_t *len, struct vol_error *err);

/* Blocking helpers for command line clients: whole frame or error; timeout_ms
 * bounds the whole call (ETIMEDOUT).  fd is a socket, blocking or not.  The
 * end of the stream is ECONNRESET. */
int vol_wire_send(int fd, const json_t *msg, int timeout_ms,
		  struct vol_error *err);
json_t *vol_wire_recv(int fd, struct vol_wire_reader *r, int timeout_ms,
		      struct vol_error *err);

#endif
