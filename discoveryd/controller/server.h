/* SPDX-License-Identifier: GPL-2.0-or-later */
/* server.h - the port that devices dial */
#ifndef VOL_SERVER_H
#define VOL_SERVER_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "link.h"

struct vol_controller;
struct vol_server;
struct vol_peer;

/* Links that have not said hello yet; more are closed at once.  A cold start of
 * 10 000 devices fits, since each says hello within milliseconds. */
#define VOL_SERVER_STRANGERS 512
/* And from one address: one host must not take all places. */
#define VOL_SERVER_STRANGERS_EACH 128
#define VOL_SERVER_HELLO_MS       10000

/* Listen as conf.listen says; *port is the port.  Callers wait in the kernel's
 * queue until vol_server_open. */
struct vol_server *vol_server_create(struct vol_controller *c, uint16_t *port,
				     struct vol_error *err);
void vol_server_open(struct vol_server *s);
/* Close the port and all links. */
void vol_server_destroy(struct vol_server *s);

/* peer.c */
struct vol_peer *vol_peer_create(struct vol_controller *c,
				 struct vol_server *server, int fd,
				 struct vol_error *err);
void vol_peer_destroy(struct vol_peer *p);
const char *vol_peer_address(const struct vol_peer *p);
/* For the server's list and limits. */
struct vol_peer *vol_peer_next(const struct vol_peer *p);
void vol_peer_link(struct vol_peer *p, struct vol_peer **list);
int vol_peer_is_stranger(const struct vol_peer *p);

/* To the device; silently dropped when the link is closing. */
void vol_peer_send(struct vol_peer *p, const struct vol_link_msg *msg);
/* Say why and close; p is gone afterwards. */
void vol_peer_refuse(struct vol_peer *p, const char *code, const char *reason,
		     uint32_t retry_ms);

#endif
