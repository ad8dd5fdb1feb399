/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conn_private.h - the inside of a connection, shared by conn.c and conn_io.c
 *
 * conn.c owns the life of a connection, conn_tls.c its handshake, conn_io.c
 * moves bytes.  A connection is freed only when no callback of ours is on the
 * stack (depth 0).
 */
#ifndef VOL_CONN_PRIVATE_H
#define VOL_CONN_PRIVATE_H

#include "conn.h"
#include "registry.h"
#include "wire.h"

enum vol_conn_state {
	VOL_CONN_DIALING,
	VOL_CONN_SHAKING, /* TLS handshake */
	VOL_CONN_OPEN,
	VOL_CONN_FAILED,    /* "closed" is due */
	VOL_CONN_FINISHING, /* flushing; nobody listens */
	VOL_CONN_DEAD,      /* to be freed */
};

/* Numeric address with a scope: "fe80::...%interface". */
#define VOL_CONN_ADDRESS_SIZE (VOL_ADDRESS_SIZE + 17)

struct vol_conn {
	sd_event *loop;
	sd_event_source *io; /* NULL in a pool */
	struct vol_pool_entry entry;
	sd_event_source *timer;   /* dial, handshake or finish deadline */
	sd_event_source *defer;   /* delivers "closed" from the loop */
	sd_event_source *at_exit; /* frees what is still finishing */
	int fd;
	struct vol_tls *tls; /* NULL: plain */
	bool shake_writes;   /* the handshake waits to write */
	enum vol_conn_state state;
	unsigned depth;
	struct vol_wire_reader reader;
	char *out; /* bytes out_off .. out_len wait */
	size_t out_off, out_len, out_size, max_queue;
	bool eof_sent; /* our half is shut */
	bool protocol;
	char *reason; /* why it failed; owned, NULL: no memory to say it */
	const struct vol_conn_ops *ops;
	void *arg;
	void (*finished)(void *arg); /* of vol_conn_finish_then */
	void *finished_arg;
	char peer[VOL_CONN_ADDRESS_SIZE], local[VOL_CONN_ADDRESS_SIZE];
	uint16_t peer_port;
};

/* The connection is over; tell the owner from the loop, not from here. */
void vol_conn_fail(struct vol_conn *c, bool protocol, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Set or move the deadline of the state. */
int vol_conn_arm(struct vol_conn *c, uint64_t ms, struct vol_error *err);

/* The socket is connected: begin the handshake.  -1: nothing has changed. */
int vol_conn_shake_start(struct vol_conn *c, struct vol_error *err);

/* The next step of the handshake; at its end the connection is open. */
void vol_conn_shake(struct vol_conn *c);

/* The connection is open: send what waits and tell the owner. */
void vol_conn_opened(struct vol_conn *c);

/* Append and try to send.  -1 when the connection has failed. */
int vol_conn_queue(struct vol_conn *c, const void *data, size_t len);

/* Send what the socket takes. */
void vol_conn_flush(struct vol_conn *c);
/* Wipe and free what waits to be sent. */
void vol_conn_forget_out(struct vol_conn *c);

/* Read once and hand out whole messages. */
void vol_conn_receive(struct vol_conn *c);

/* Wait for what the state needs: readable, writable. */
void vol_conn_watch(struct vol_conn *c);
/* For these events; 0: for none. */
void vol_conn_wait(struct vol_conn *c, uint32_t events);

#endif
