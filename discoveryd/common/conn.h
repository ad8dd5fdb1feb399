/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conn.h - a framed, non-blocking stream connection on the event loop
 *
 * Used by both ends of the device link and by the control sockets.  The place
 * where TLS will live: nobody else reads or writes link sockets.
 */
#ifndef VOL_CONN_H
#define VOL_CONN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "error.h"

/* Longest wait for an outgoing connection: a LAN answers in milliseconds. */
#define VOL_CONN_DIAL_MS 5000

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
	/* Optional: an outgoing connection is established. */
	void (*connected)(struct vol_conn *c, void *arg);
};

/* Take over a connected socket (made non-blocking here); on failure it is still
 * the caller's.  max_queue bounds what may wait to be sent; above it the
 * connection is closed. */
struct vol_conn *vol_conn_attach(sd_event *loop, int fd, size_t max_queue,
				 const struct vol_conn_ops *ops, void *arg,
				 struct vol_error *err);

/* Begin to connect to a numeric address (IPv6 may carry %scope); the result
 * comes through ops, at most VOL_CONN_DIAL_MS later.  NULL when the address is
 * malformed or nothing leads there. */
struct vol_conn *vol_conn_dial(sd_event *loop, const char *address,
			       uint16_t port, size_t max_queue,
			       const struct vol_conn_ops *ops, void *arg,
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

#endif
