/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gate.h - how many links may be on their way in at once, and whose; pure
 *
 * A link is on its way in from when it is accepted until its hello is answered.
 * Of those there are few: VOL_GATE_PLACES bounds what strangers can make us
 * hold.  Who finds no place waits in the kernel's queue, which costs us
 * nothing, and is let in when somebody has passed.  So a building whose devices
 * all come back in the same minute, even behind one address, comes in as fast
 * as its handshakes can be made.
 *
 * Who only sits there does not keep others out: once VOL_GATE_PATIENCE_MS are
 * over, the longest of the network that holds the most places makes room for
 * the next in the queue.  So an attacker with one address takes places from
 * nobody but itself, and one with all addresses lets others in at
 * VOL_GATE_PLACES each VOL_GATE_PATIENCE_MS: slowly, but the queue (BACKLOG in
 * server.c) is through within VOL_CONN_SHAKE_MS.
 *
 * A network is an IPv4 address or the first half of an IPv6 one, since the
 * second half is any host's to choose (RFC 4291, 2.5.1).
 */
#ifndef VOL_GATE_H
#define VOL_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A TLS session in its handshake is some 30 KiB, so that this is 15 MiB; and
 * twice what is on its way with 1 000 handshakes a second over a slow WAN. */
#define VOL_GATE_PLACES 512
/* A handshake and a hello are two round trips and a millisecond of work. */
#define VOL_GATE_PATIENCE_MS 2000

struct vol_gate_network {
	uint8_t bytes[8]; /* zero for local sockets */
};

/* From text: "192.0.2.7", "2001:db8::7", "fe80::7%eth0"; what is no address is
 * the zero network. */
void vol_gate_network(const char *address, struct vol_gate_network *net);

/* Part of a link; zeroed when it holds no place. */
struct vol_gate_place {
	struct vol_gate_group *group;
	struct vol_gate_place *older, *newer; /* in its group */
	uint64_t since_ms;
};

/* The places of one network. */
struct vol_gate_group {
	struct vol_gate_network network;
	struct vol_gate_place *oldest, *newest;
	size_t n; /* 0: this is free */
};

/* Zeroed: nobody is on the way in. */
struct vol_gate {
	struct vol_gate_group groups[VOL_GATE_PLACES];
	size_t n;
};

/* May the next one be accepted?  0, or the ms until it is worth to ask again:
 * sooner if somebody leaves. */
uint64_t vol_gate_wait_ms(const struct vol_gate *g, uint64_t now_ms);

/* One is accepted.  Whose place it got is returned, NULL if one was free; the
 * caller ends that link.  There are never more than VOL_GATE_PLACES, whether or
 * not vol_gate_wait_ms was asked. */
struct vol_gate_place *vol_gate_enter(struct vol_gate *g,
				      struct vol_gate_place *place,
				      const struct vol_gate_network *net,
				      uint64_t now_ms);

/* It has passed, or is gone.  Legal without a place. */
void vol_gate_leave(struct vol_gate *g, struct vol_gate_place *place);

#endif
