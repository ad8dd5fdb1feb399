/* SPDX-License-Identifier: GPL-2.0-or-later */
/* device.c - a device that is nothing but its end of the link */
#include "config.h"

#include "device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "wire.h"

#define MAX_QUEUE (4 * VOL_WIRE_MAX)
#define BOOT      "0123456789abcdef0123456789abcdef"

uint64_t monotonic_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void run(struct device *d, unsigned todo);

static void send_msg(struct device *d, const struct vol_link_msg *msg)
{
	json_t *json = vol_link_encode(msg);

	if (json && d->conn)
		(void)vol_conn_send(d->conn, json);
	json_decref(json);
}

void device_state(struct device *d)
{
	struct vol_link_msg msg = {.type = VOL_LINK_STATE,
				   .slurmd = d->crowd->registered
						     ? VOL_SLURMD_UP
						     : VOL_SLURMD_STARTING};

	if (d->fsm.state == VOL_UPLINK_UP)
		send_msg(d, &msg);
}

static void on_pong(struct device *d, const struct vol_link_msg *msg)
{
	struct crowd *c = d->crowd;
	uint64_t ms = now_ms() - d->fsm.sent_ms[msg->seq % VOL_UPLINK_PINGS];

	c->pongs++;
	c->slow += ms > SLOW_MS;
	if (ms > c->slowest_ms)
		c->slowest_ms = ms;
}

static void on_message(struct vol_conn *conn, const json_t *json, void *arg)
{
	struct device *d = arg;
	struct crowd *c = d->crowd;
	struct vol_link_msg msg;
	struct vol_error err;

	(void)conn;
	if (vol_link_decode(json, &msg, &err) < 0) {
		snprintf(c->trouble, sizeof(c->trouble), "%s", err.text);
		run(d, vol_uplink_fsm_closed(&d->fsm, now_ms()));
		return;
	}
	if (msg.type == VOL_LINK_PONG)
		on_pong(d, &msg);
	if (msg.type == VOL_LINK_REFUSE) {
		c->refused++;
		snprintf(c->trouble, sizeof(c->trouble), "%s", msg.reason);
	}
	if (msg.type == VOL_LINK_ACK && msg.stream == d->stream) {
		d->acked = msg.report;
		c->acks++;
	}
	if (msg.type == VOL_LINK_NODE) {
		c->told += (msg.node_state == VOL_NODE_UP) - d->told;
		d->told = msg.node_state == VOL_NODE_UP;
		c->told_at = monotonic_ms();
	}
	run(d, vol_uplink_fsm_message(&d->fsm, now_ms(), &msg));
}

static void on_closed(struct vol_conn *conn, const char *reason, bool protocol,
		      void *arg)
{
	struct device *d = arg;
	struct crowd *c = d->crowd;

	(void)conn;
	(void)protocol;
	if (d->fsm.state == VOL_UPLINK_UP)
		c->lost++;
	else
		c->failed++;
	snprintf(c->trouble, sizeof(c->trouble), "%s", reason);
	run(d, vol_uplink_fsm_closed(&d->fsm, now_ms()));
}

static void on_reached(struct vol_conn *conn, void *arg)
{
	struct device *d = arg;

	(void)conn;
	run(d, vol_uplink_fsm_reached(&d->fsm, now_ms()));
}

static void on_connected(struct vol_conn *conn, void *arg)
{
	struct device *d = arg;

	(void)conn;
	run(d, vol_uplink_fsm_connected(&d->fsm, now_ms()));
}

static const struct vol_conn_ops conn_ops = {
	.message = on_message,
	.closed = on_closed,
	.connected = on_connected,
	.reached = on_reached,
};

static unsigned dial(struct device *d)
{
	struct crowd *c = d->crowd;
	struct vol_error err;

	c->dials++;
	d->fsm.at_home = true;
	d->conn = vol_conn_dial_tls(c->loop, c->address, c->port, MAX_QUEUE,
				    d->tls, NULL, &conn_ops, d, &err);
	if (d->conn)
		return vol_uplink_fsm_dialed(&d->fsm, now_ms(), false);
	c->failed++;
	snprintf(c->trouble, sizeof(c->trouble), "%s", err.text);
	return vol_uplink_fsm_closed(&d->fsm, now_ms());
}

static void greet(struct device *d)
{
	struct vol_link_msg m = {.type = VOL_LINK_HELLO,
				 .proto = VOL_LINK_PROTO};

	memcpy(m.id, d->id, sizeof(m.id));
	strcpy(m.boot, BOOT);
	snprintf(m.hostname, sizeof(m.hostname), "%s", d->hostname);
	strcpy(m.version, PACKAGE_VERSION);
	strcpy(m.slurm, "24.11.5");
	/* As bench/native/slurmctld/crowd.c registers it. */
	m.facts.sockets = 1;
	m.facts.cores_per_socket = 4;
	m.facts.threads_per_core = 1;
	m.facts.memory_mb = 4000;
	m.harvest = d->harvest;
	if (d->harvest == VOL_HARVEST_OPEN)
		m.away_s = 3600;
	else
		strcpy(m.why, "owner present");
	m.speed = 5000;
	m.stream = d->stream;
	m.acked = d->acked;
	send_msg(d, &m);
}

static void ping(struct device *d)
{
	struct vol_link_msg msg = {.type = VOL_LINK_PING, .seq = d->fsm.seq};

	send_msg(d, &msg);
}

static void set_timer(struct device *d)
{
	uint64_t deadline = vol_uplink_fsm_deadline(&d->fsm);

	if (deadline == UINT64_MAX) {
		sd_event_source_set_enabled(d->timer, SD_EVENT_OFF);
		return;
	}
	sd_event_source_set_time(d->timer, deadline * 1000);
	sd_event_source_set_enabled(d->timer, SD_EVENT_ONESHOT);
}

static void count_up(struct device *d)
{
	d->crowd->up++;
	d->crowd->up_at = monotonic_ms();
}

static void count_down(struct device *d)
{
	d->crowd->up--;
	d->crowd->told -= d->told;
	d->told = false;
}

static void run(struct device *d, unsigned todo)
{
	while (todo) {
		unsigned next = 0;

		if (todo & VOL_UPLINK_DO_CLOSE) {
			vol_conn_destroy(d->conn);
			d->conn = NULL;
		}
		if (todo & VOL_UPLINK_DO_LOST)
			count_down(d);
		if (todo & VOL_UPLINK_DO_DIAL)
			next = dial(d);
		if (todo & VOL_UPLINK_DO_HELLO)
			greet(d);
		if (todo & VOL_UPLINK_DO_PING)
			ping(d);
		if (todo & VOL_UPLINK_DO_WELCOMED) {
			count_up(d);
			device_state(d);
		}
		todo = next;
	}
	set_timer(d);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *arg)
{
	struct device *d = arg;

	(void)source;
	(void)usec;
	run(d, vol_uplink_fsm_time(&d->fsm, now_ms()));
	return 0;
}

int device_init(struct device *d, struct crowd *crowd, const char *hostname,
		struct vol_error *err)
{
	uint64_t random[2];
	int r;

	memset(d, 0, sizeof(*d));
	d->crowd = crowd;
	d->harvest = VOL_HARVEST_OPEN;
	snprintf(d->hostname, sizeof(d->hostname), "%s", hostname);
	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return vol_errorf(err, "no random numbers");
	d->stream = (random[0] & VOL_LINK_SEQ_MAX) | 1;
	d->key = vol_keypair_make(err);
	if (!d->key)
		return -1;
	vol_fingerprint_id(vol_keypair_fingerprint(d->key), d->id);
	d->tls = vol_tls_context_create(d->key, err);
	if (!d->tls)
		return -1;
	r = sd_event_add_time(crowd->loop, &d->timer, CLOCK_BOOTTIME, 0, 10000,
			      on_timer, d);
	if (r < 0)
		return vol_errorf_errno(err, -r, "timer: %s", strerror(-r));
	vol_uplink_fsm_init(&d->fsm, now_ms(), random[1], NULL);
	set_timer(d);
	return 0;
}

void device_clear(struct device *d)
{
	vol_conn_destroy(d->conn);
	sd_event_source_disable_unref(d->timer);
	vol_tls_context_destroy(d->tls);
	vol_keypair_destroy(d->key);
}

void device_dial(struct device *d)
{
	run(d, d->fsm.state == VOL_UPLINK_LOOKING
		       ? vol_uplink_fsm_target(&d->fsm, now_ms())
		       : vol_uplink_fsm_redial(&d->fsm, now_ms()));
}

void device_harvest(struct device *d, enum vol_harvest harvest, const char *why)
{
	struct vol_link_msg msg = {.type = VOL_LINK_HARVEST,
				   .harvest = harvest};

	d->harvest = harvest;
	snprintf(msg.why, sizeof(msg.why), "%s", why);
	msg.away_s = harvest == VOL_HARVEST_OPEN ? 300 : 0;
	msg.speed = 5000;
	if (d->fsm.state != VOL_UPLINK_UP)
		return;
	send_msg(d, &msg);
	msg.type = VOL_LINK_MOVED;
	msg.stream = d->stream;
	msg.after = d->seq;
	msg.report = ++d->seq;
	send_msg(d, &msg);
}
