/* SPDX-License-Identifier: GPL-2.0-or-later */
/* imagewire.h - an image on a connection; for those who may wait
 *
 * After image_go or image_here (link.h) no JSON follows, but pieces, each with
 * a 4-byte big-endian head:
 *
 *  1 .. VOL_IMAGE_CHUNK  so many bytes of the stream
 *  0                     the end: 8 bytes, big-endian, how long the stream was,
 *                        and the 32 of its SHA-256
 *  0xffffffff            broken off; a frame of link.h (refuse) says why
 *
 * Anything else is a protocol error.  Flow control is TCP's: whoever writes
 * waits until the other side reads, and neither holds more than a chunk.
 */
#ifndef VOL_IMAGEWIRE_H
#define VOL_IMAGEWIRE_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "imagefile.h"
#include "link.h"

/* How bytes move: all len of them, or -1 with errno and *err.  ECONNRESET: the
 * peer is gone; ETIMEDOUT: it is too slow; ECANCELED: we were told to stop.
 * What was written need not be on its way before flush, which each function
 * here that sends calls once, at its end.
 * more returns 1 when the peer has said something that was not read yet, which
 * whoever sends a stream should hear; else 0. */
struct vol_imagewire {
	int (*read)(void *arg, void *buf, size_t len, struct vol_error *err);
	int (*write)(void *arg, const void *data, size_t len,
		     struct vol_error *err);
	int (*flush)(void *arg, struct vol_error *err);
	int (*more)(void *arg);
	void *arg;
};

enum vol_imagewire_piece {
	VOL_IMAGEWIRE_FAILED = -1,
	VOL_IMAGEWIRE_DATA,
	VOL_IMAGEWIRE_END,
	VOL_IMAGEWIRE_BROKEN,
};

/* The next piece: DATA with *len bytes in buf; END with *tail; BROKEN with the
 * reason in *why.  FAILED with EPROTO, or as read. */
enum vol_imagewire_piece vol_imagewire_recv(const struct vol_imagewire *w,
					    uint8_t buf[VOL_IMAGE_CHUNK],
					    size_t *len,
					    struct vol_image_tail *tail,
					    struct vol_link_msg *why,
					    struct vol_error *err);

/* 1 .. VOL_IMAGE_CHUNK bytes. */
int vol_imagewire_data(const struct vol_imagewire *w, const void *data,
		       size_t len, struct vol_error *err);
int vol_imagewire_end(const struct vol_imagewire *w,
		      const struct vol_image_tail *tail, struct vol_error *err);
int vol_imagewire_broken(const struct vol_imagewire *w,
			 const struct vol_link_msg *why, struct vol_error *err);

/* One message of link.h. */
int vol_imagewire_say(const struct vol_imagewire *w,
		      const struct vol_link_msg *msg, struct vol_error *err);
int vol_imagewire_hear(const struct vol_imagewire *w, struct vol_link_msg *msg,
		       struct vol_error *err);

#endif
