/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sockbuf.h - a stream socket in large pieces
 *
 * TLS moves records of 16 KiB and reads a head before each.  A call, a packet
 * and a wakeup for each of them are most of what a fast network costs; so what
 * is written is gathered until it is flushed, and as much is read as there is.
 */
#ifndef VOL_SOCKBUF_H
#define VOL_SOCKBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Two pieces of an image with what TLS adds, in each direction. */
#define VOL_SOCKBUF_BYTES (132 * 1024)

struct vol_sockbuf;

/* fd stays the caller's.  NULL: ENOMEM. */
struct vol_sockbuf *vol_sockbuf_create(int fd);
/* NULL-safe.  What was not flushed is gone; keeps errno. */
void vol_sockbuf_destroy(struct vol_sockbuf *b);

/* As recv(2). */
ssize_t vol_sockbuf_read(struct vol_sockbuf *b, void *buf, size_t len);
/* Is there something that the socket does not tell of any more? */
bool vol_sockbuf_has_more(const struct vol_sockbuf *b);

/* As send(2), without SIGPIPE; what was taken may not be on its way yet.  -1
 * only if nothing was taken. */
ssize_t vol_sockbuf_write(struct vol_sockbuf *b, const void *data, size_t len);
/* All of it is the kernel's now; -1 with send(2)'s errno, EAGAIN: call again
 * when the socket is writable. */
int vol_sockbuf_flush(struct vol_sockbuf *b);

#endif
