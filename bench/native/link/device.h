/* SPDX-License-Identifier: GPL-2.0-or-later */
/* device.h - a device that is nothing but its end of the link
 *
 * The real thing's connection, TLS, messages and state machine (when to dial,
 * ping and give up); no sensors, no slurmd and no disk behind it.
 */
#ifndef BENCH_DEVICE_H
#define BENCH_DEVICE_H

#include <systemd/sd-event.h>

#include "conn.h"
#include "device/uplink_fsm.h"
#include "keypair.h"
#include "link.h"
#include "tls.h"

/* Of all devices of a process. */
struct crowd {
	sd_event *loop;
	const char *address;
	uint16_t port;
	bool registered; /* their slurmd are up, else they start */
	unsigned up;     /* are welcome, and linked */
	unsigned told;   /* of these: their node is up */
	uint64_t up_at;  /* the last one, CLOCK_MONOTONIC ms */
	uint64_t told_at;
	unsigned dials, failed, refused, lost, acks;
	/* Pings that were answered, and how late. */
	unsigned pongs, slow; /* slow: in more than SLOW_MS */
	uint64_t slowest_ms;
	char trouble[256]; /* the last one */
};
#define SLOW_MS 500

struct device {
	struct crowd *crowd;
	struct vol_keypair *key;
	struct vol_tls_context *tls;
	struct vol_conn *conn;
	struct vol_uplink_fsm fsm;
	sd_event_source *timer;
	char hostname[32];
	char id[VOL_DEVICE_ID_SIZE];
	bool told;
	enum vol_harvest harvest;
	uint64_t stream, seq, acked; /* of its reports */
};

uint64_t monotonic_ms(void);

/* -1: *err says why. */
int device_init(struct device *d, struct crowd *crowd, const char *hostname,
		struct vol_error *err);
void device_clear(struct device *d);

void device_dial(struct device *d);
/* Say what slurmd does. */
void device_state(struct device *d);
/* The owner comes or goes: say so, and report it. */
void device_harvest(struct device *d, enum vol_harvest harvest,
		    const char *why);

#endif
