/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conn.h - a framed, non-blocking stream connection on the event loop
 *
 * Used by both ends of the device link, with TLS below the frames (tls.h), and
 * by the control sockets, without.  Nobody else reads or writes link sockets.
 */
#ifndef VOL_CONN_H
#define VOL_CONN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "error.h"
#include "pool.h"
#include "tls.h"

/* Longest wait for an outgoing connection: a LAN answers in milliseconds. */
#define VOL_CONN_DIAL_MS 5000
/* And for the handshake after it, on both sides: three messages and a
 * millisecond of arithmetic, while a controller may have thousands to do. */
#ifndef VOL_CONN_SHAKE_MS /* tests have less patience */
#define VOL_CONN_SHAKE_MS 10000
#endif

struct vol_conn;

struct vol_conn_ops {
	/* One whole message; borrowed.  May call vol_conn_destroy. */
	void (*message)(struct vol_conn *c, const json_t *msg, void *arg);
	/* The connection ended: reason is never NULL ("peer closed the
	 * connection", "frame of 99 MiB announced, ...").  protocol is true
	 * when the peer broke the framing rules.  Called at most once, last;
	 * the callee destroys c, now or later. */
	void (*closed)(struct vol_conn *c, const char *reason, bool protocol,
		       void *arg);
	/* Optional: an outgoing connection is established; with TLS, on both
	 * sides, the handshake is done and vol_conn_peer_key is known. */
	void (*connected)(struct vol_conn *c, void *arg);
	/* Optional, with TLS: somebody answers there, the handshake begins. */
	void (*reached)(struct vol_conn *c, void *arg);
};

/* Take over a connected socket (made non-blocking here); on failure it is still
 * the caller's.  max_queue bounds what may wait to be sent; above it the
 * connection is closed. */
struct vol_conn *vol_conn_attach(sd_event *loop, int fd, size_t max_queue,
				 const struct vol_conn_ops *ops, void *arg,
				 struct vol_error *err);

/* The same as a controller's end of a link: the peer, which begins, is a
 * device.  "closed" says "the peer does not speak TLS" and the like, protocol
 * is true then. */
struct vol_conn *vol_conn_attach_tls(sd_event *loop, int fd, size_t max_queue,
				     struct vol_tls_context *tls,
				     const struct vol_conn_ops *ops, void *arg,
				     struct vol_error *err);

/* Begin to connect to a numeric address (IPv6 may carry %scope); the result
 * comes through ops, at most VOL_CONN_DIAL_MS later.  NULL when the address is
 * malformed or nothing leads there. */
struct vol_conn *vol_conn_dial(sd_event *loop, const char *address,
			       uint16_t port, size_t max_queue,
			       const struct vol_conn_ops *ops, void *arg,
			       struct vol_error *err);

/* The same as a device's end of a link.  With a pin nobody but the holder of
 * that key gets anything of what is queued: "closed" says "another key than the
 * one known: HEX".  tls outlives the connection. */
struct vol_conn *vol_conn_dial_tls(sd_event *loop, const char *address,
				   uint16_t port, size_t max_queue,
				   struct vol_tls_context *tls,
				   const struct vol_tls_pin *pin,
				   const struct vol_conn_ops *ops, void *arg,
				   struct vol_error *err);

/* Wait in this pool from now on, in place of the event loop itself or another
 * pool: for whoever has thousands.  What goes wrong ends the connection. */
void vol_conn_join(struct vol_conn *c, struct vol_pool *pool);

/* Somebody else owns it from now on. */
void vol_conn_pass(struct vol_conn *c, const struct vol_conn_ops *ops,
		   void *arg);

/* Take socket and session of an open connection with TLS, for a thread that may
 * wait; c is gone then.  NULL with EPROTO when the peer has said more than was
 * handed out, or with EAGAIN when something waits to be sent: c stays. */
struct vol_tls *vol_conn_take(struct vol_conn *c, int *fd,
			      struct vol_error *err);

/* Queue a message (not taken over).  -1: the connection is closing, and
 * "closed" was or will be called; never from inside this function. */
int vol_conn_send(struct vol_conn *c, const json_t *msg);

/* Close after what is queued was sent, at most 1 s from now.  No callback is
 * called any more and c must not be used again: it frees itself. */
void vol_conn_finish(struct vol_conn *c);
/* The same; finished is called when the descriptor is closed, maybe before
 * this returns. */
void vol_conn_finish_then(struct vol_conn *c, void (*finished)(void *arg),
			  void *arg);

/* Close now.  NULL-safe; legal inside callbacks. */
void vol_conn_destroy(struct vol_conn *c);

/* "192.0.2.7" and port of the other and of our end; IPv4 is never shown in its
 * IPv6-mapped form.  "local" for a Unix socket. */
const char *vol_conn_peer(const struct vol_conn *c);
uint16_t vol_conn_peer_port(const struct vol_conn *c);
const char *vol_conn_local(const struct vol_conn *c);
int vol_conn_fd(const struct vol_conn *c);

/* The key that the peer has proven to hold; NULL without TLS and before.  In
 * "closed" of one whose key was not the pinned one it is that key. */
const struct vol_fingerprint *vol_conn_peer_key(const struct vol_conn *c);

#endif
