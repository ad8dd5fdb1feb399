/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tls.h - TLS 1.3 between a device and a controller, over a non-blocking socket
 *
 * Both sides present a raw public key (RFC 7250) and prove that they hold its
 * secret half; there are no certificates, no names and no dates.  Whether a key
 * is welcome is the caller's matter, except for the pin: a session that was
 * given one speaks to the holder of that key or to nobody.
 *
 * No older version, session ticket, resumption, early data, compression or
 * renegotiation: each session begins from nothing, so that nothing recorded
 * can be played again.
 *
 * errno of what fails:
 *  EAGAIN        not now
 *  EPROTO        what came is not TLS 1.3 as we speak it
 *  EKEYREJECTED  the peer holds another key than the pinned one
 *  EACCES        the peer will not have us: it sent an alert
 *  ECONNRESET    the peer went away
 *  others        of the socket, ENOMEM
 */
#ifndef VOL_TLS_H
#define VOL_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "error.h"
#include "fingerprint.h"
#include "keypair.h"

/* What one peer can make us hold: a record, and a message of the handshake,
 * whose largest is below 1 KiB.  Records are the largest that there are (RFC
 * 8446 5.1): with a quarter of that it takes half as much time again to receive
 * an image. */
#define VOL_TLS_RECORD_MAX    16384
#define VOL_TLS_HANDSHAKE_MAX 8192
/* Bytes that may come before a handshake is done, which takes 700, and then
 * before each piece of data, which may be a whole record. */
#define VOL_TLS_SWALLOW_MAX (VOL_TLS_RECORD_MAX + 2 * VOL_TLS_HANDSHAKE_MAX)

/* What all sessions of a program share. */
struct vol_tls_context;

/* key is copied. */
struct vol_tls_context *vol_tls_context_create(const struct vol_keypair *key,
					       struct vol_error *err);
/* NULL-safe.  After all sessions of it. */
void vol_tls_context_destroy(struct vol_tls_context *ctx);

/* The holder of which key a session may speak to: its fingerprint begins with
 * these bytes.  All of them are VOL_FINGERPRINT_BYTES; short texts for people
 * to type carry 16, which are as hard to meet by chance (fingerprint.h). */
struct vol_tls_pin {
	struct vol_fingerprint key;
	size_t bytes;
};

enum vol_tls_side { VOL_TLS_DEVICE, VOL_TLS_CONTROLLER };

struct vol_tls;

/* A session over fd, which stays the caller's and must be non-blocking.  The
 * device begins.  pin may be NULL; it is copied. */
struct vol_tls *vol_tls_create(struct vol_tls_context *ctx,
			       enum vol_tls_side side, int fd,
			       const struct vol_tls_pin *pin,
			       struct vol_error *err);
/* NULL-safe.  Says nothing to the peer. */
void vol_tls_destroy(struct vol_tls *t);

enum vol_tls_step {
	VOL_TLS_FAILED = -1, /* errno and *err say why; the peer was told */
	VOL_TLS_DONE,
	VOL_TLS_WANT_READ, /* call again when the socket is readable */
	VOL_TLS_WANT_WRITE,
};

/* One step of the handshake.  With a pin, a peer that holds another key learns
 * nothing from us, not even our key. */
enum vol_tls_step vol_tls_handshake(struct vol_tls *t, struct vol_error *err);

/* The peer's key, from when it was proven in the handshake; NULL before.  Of a
 * peer whose key was rejected it is that key. */
const struct vol_fingerprint *vol_tls_peer(const struct vol_tls *t);

/* As recv(2): bytes, 0 at the end of the stream (the peer said so, or its
 * socket is closed), -1. */
ssize_t vol_tls_recv(struct vol_tls *t, void *buf, size_t len,
		     struct vol_error *err);

/* Does something wait here that the socket does not tell of any more? */
bool vol_tls_pending(const struct vol_tls *t);

/* As send(2).  After EAGAIN the next call must begin with the same bytes (they
 * may lie elsewhere): part of them is on its way. */
ssize_t vol_tls_send(struct vol_tls *t, const void *data, size_t len,
		     struct vol_error *err);

/* After the handshake: from now on records are gathered, and read several at a
 * time; for who moves much, and waits (sockbuf.h).  Without memory nothing
 * changes. */
void vol_tls_gather(struct vol_tls *t);
/* What was gathered goes out; EAGAIN: not all of it yet. */
int vol_tls_flush(struct vol_tls *t, struct vol_error *err);

/* Say that nothing follows, as far as the socket takes it now. */
void vol_tls_bye(struct vol_tls *t);

#endif
