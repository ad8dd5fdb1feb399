/* SPDX-License-Identifier: GPL-2.0-or-later */
/* server.h - the port that devices dial */
#ifndef VOL_SERVER_H
#define VOL_SERVER_H

#include <stddef.h>
#include <stdint.h>

#include <stdbool.h>
#include <time.h>

#include "error.h"
#include "gate.h"
#include "link.h"
#include "shortcode.h"

struct vol_controller;
struct vol_pool;
struct vol_server;
struct vol_peer;

/* The three turns of the event loop (sd_event_source_set_priority(3)): what
 * links that are up say, Slurm's answers and all else comes before handshakes,
 * and those before anybody new is let in.  So a crowd at the door delays a
 * heartbeat by no more than one step of one handshake, a millisecond. */
#define VOL_SERVER_TURN_LINK   0
#define VOL_SERVER_TURN_SHAKE  10
#define VOL_SERVER_TURN_ACCEPT 20

/* For so long a link may be on its way in (gate.h) when nobody wants its place.
 */
#define VOL_SERVER_HELLO_MS 10000
/* Links that wait for an administrator, and of one network (gate.h). */
#define VOL_SERVER_WAITING      256
#define VOL_SERVER_WAITING_EACH 16

/* Listen as conf.listen says; *port is the port.  Callers wait in the kernel's
 * queue until vol_server_open. */
struct vol_server *vol_server_create(struct vol_controller *c, uint16_t *port,
				     struct vol_error *err);
void vol_server_open(struct vol_server *s);
/* Close the port and all links. */
void vol_server_destroy(struct vol_server *s);

/* Where links wait that are up, and those on their way in. */
struct vol_pool *vol_server_pool(const struct vol_server *s, bool up);

/* This link is not on its way in any more: the next may come. */
void vol_server_passed(struct vol_server *s, struct vol_gate_place *place);

/* May one more link wait?  To be asked when it begins to: others may have come
 * before it since it knocked. */
bool vol_server_may_wait(const struct vol_server *s, const struct vol_peer *p);
/* It waits now, or, false, does not any more. */
void vol_server_waits(struct vol_server *s, struct vol_peer *p, bool waits);
/* Close the links of this device that wait. */
void vol_server_drop_waiting(struct vol_server *s, const char *id);
/* The first of the links that wait; go on with vol_peer_next. */
struct vol_peer *vol_server_waiting(const struct vol_server *s);

/* Who waits for an administrator. */
struct vol_waiting {
	char id[VOL_DEVICE_ID_SIZE];
	char hostname[VOL_HOSTNAME_SIZE];
	struct vol_shortcode code;
	time_t since;
};

/* peer.c */
struct vol_peer *vol_peer_create(struct vol_controller *c,
				 struct vol_server *server, int fd,
				 struct vol_error *err);
void vol_peer_destroy(struct vol_peer *p);
const char *vol_peer_address(const struct vol_peer *p);
/* For the server's lists and limits.  link moves it to this list. */
struct vol_peer *vol_peer_next(const struct vol_peer *p);
void vol_peer_link(struct vol_peer *p, struct vol_peer **list);
/* It was let in, and has proven a key by TLS. */
bool vol_peer_is_proven(const struct vol_peer *p);
struct vol_gate_place *vol_peer_place(struct vol_peer *p);
struct vol_peer *vol_peer_at(struct vol_gate_place *place);
/* Its place on the way in is somebody else's now: it is logged and gone. */
void vol_peer_make_room(struct vol_peer *p);
/* NULL when it does not wait for an administrator. */
const struct vol_waiting *vol_peer_waiting(const struct vol_peer *p);
/* It need not any more: its hello is next. */
void vol_peer_approved(struct vol_peer *p);

/* To the device; silently dropped when the link is closing. */
void vol_peer_send(struct vol_peer *p, const struct vol_link_msg *msg);
/* Say why and close; p is gone afterwards. */
void vol_peer_refuse(struct vol_peer *p, const char *code, const char *reason,
		     uint32_t retry_ms);

#endif
