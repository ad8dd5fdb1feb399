/* SPDX-License-Identifier: GPL-2.0-or-later */
/* uplink.c - the one outbound link to the controller
 *
 * uplink_fsm.c decides; here its decisions meet a connection and a timer.  The
 * clock runs on while the machine sleeps, so a link is found dead at once
 * after waking up.
 */
#include "config.h"

#include "device/uplink.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "conn.h"
#include "device/fence_file.h"
#include "device/identity.h"
#include "device/probe.h"
#include "log.h"
#include "wire.h"

#define ACCURACY_US 10000
/* A controller that stops reading gets no more than this. */
#define MAX_QUEUE (4 * VOL_WIRE_MAX)
#define SAVE_MS   1000

struct vol_uplink {
	sd_event *loop;
	sd_event_source *timer;
	struct vol_find *find;
	const struct vol_uplink_ops *ops;
	void *arg;
	struct vol_uplink_fsm fsm;
	struct vol_tls_context *tls;
	struct vol_tls_pin pin;
	struct vol_conn *conn;
	struct vol_candidate target;
	struct vol_link_msg welcome; /* the last one */
	struct vol_candidate home;   /* where it came from */
	struct vol_probe *probe;
	uint64_t probe_ms; /* when it began */
	char boot[VOL_DEVICE_ID_SIZE];
	struct vol_fence saved; /* as in VOL_FENCE_FILE */
	uint64_t saved_ms;
	struct vol_error trouble; /* of the last try */
	struct vol_error logged;  /* trouble that was logged last */
};

static uint64_t now_ms(const struct vol_uplink *u)
{
	uint64_t usec = 0;

	sd_event_now(u->loop, CLOCK_BOOTTIME, &usec);
	return usec / 1000;
}

static void run(struct vol_uplink *u, unsigned todo);

static void set_trouble(struct vol_uplink *u, const char *reason)
{
	snprintf(u->trouble.text, sizeof(u->trouble.text),
		 "controller %.60s port %u: %.150s", u->target.address,
		 u->target.port, reason);
}

/* One line for each new kind of trouble, not one for each try.  A link that was
 * up is spoken of once, by ops->lost.  True: it was logged. */
static bool note_trouble(struct vol_uplink *u, const char *reason)
{
	set_trouble(u, reason);
	if (u->fsm.state == VOL_UPLINK_UP)
		return false;
	if (!strcmp(u->trouble.text, u->logged.text)) {
		vol_debug("%s", u->trouble.text);
		return false;
	}
	u->logged = u->trouble;
	vol_warn("%s", u->trouble.text);
	return true;
}

static void drop(struct vol_uplink *u)
{
	if (u->conn)
		u->ops->unlinked(u->arg);
	vol_conn_destroy(u->conn);
	u->conn = NULL;
}

static int send_msg(struct vol_uplink *u, const struct vol_link_msg *msg)
{
	json_t *json = vol_link_encode(msg);
	int r = -1;

	if (json && u->conn)
		r = vol_conn_send(u->conn, json);
	json_decref(json);
	return r;
}

/* ---- the connection ---- */

static void on_reached(struct vol_conn *c, void *arg)
{
	struct vol_uplink *u = arg;

	(void)c;
	run(u, vol_uplink_fsm_reached(&u->fsm, now_ms(u)));
}

static void on_connected(struct vol_conn *c, void *arg)
{
	struct vol_uplink *u = arg;

	(void)c;
	run(u, vol_uplink_fsm_connected(&u->fsm, now_ms(u)));
}

static void on_closed(struct vol_conn *c, const char *reason, bool protocol,
		      void *arg)
{
	struct vol_uplink *u = arg;
	const struct vol_fingerprint *key = vol_conn_peer_key(c);

	(void)protocol;
	if (note_trouble(u, reason) && key &&
	    memcmp(key->byte, u->pin.key.byte, u->pin.bytes) != 0)
		u->ops->stranger(key, u->arg);
	run(u, vol_uplink_fsm_closed(&u->fsm, now_ms(u)));
}

static void on_refused(struct vol_uplink *u, const struct vol_link_msg *msg)
{
	char reason[VOL_REASON_SIZE + 48];

	u->ops->refused(msg, u->arg);
	snprintf(reason, sizeof(reason), "refused (%s): %s", msg->code,
		 msg->reason);
	note_trouble(u, reason);
}

/* What is said before a hello; false: it must not go on. */
static bool at_the_door(struct vol_uplink *u, const struct vol_link_msg *msg,
			unsigned *todo, struct vol_error *err)
{
	bool greeting = u->fsm.state == VOL_UPLINK_GREETING;
	struct vol_link_msg reveal;

	*todo = 0;
	switch (msg->type) {
	case VOL_LINK_APPROVED:
		if (u->ops->approved(vol_conn_peer_key(u->conn), u->arg))
			return true;
		*todo = vol_uplink_fsm_distrust(&u->fsm, now_ms(u));
		vol_errorf(err, "it approves of us, but its code was not "
				"confirmed here");
		return false;
	case VOL_LINK_PENDING:
		if (greeting && u->ops->pending(msg, u->arg))
			return true;
		break;
	case VOL_LINK_NONCE:
		if (!greeting)
			break;
		if (u->ops->nonce(msg, now_ms(u), &reveal, u->arg, err) == 0)
			return send_msg(u, &reveal) == 0;
		if (errno != EAGAIN)
			break;
		/* Not even for a record that is announced anew. */
		*todo = vol_uplink_fsm_distrust(&u->fsm, now_ms(u));
		return false;
	default:
		return true;
	}
	*todo = vol_uplink_fsm_closed(&u->fsm, now_ms(u));
	return false;
}

static bool is_acceptable(struct vol_uplink *u, const struct vol_link_msg *msg,
			  struct vol_error *err)
{
	return (msg->type != VOL_LINK_WELCOME &&
		msg->type != VOL_LINK_PENDING) ||
	       vol_find_accepts(u->find, u->target.source, msg->cluster, err);
}

static bool is_for_device(enum vol_link_type type)
{
	switch (type) {
	case VOL_LINK_NODE:
	case VOL_LINK_REREGISTER:
	case VOL_LINK_EVICTED:
	case VOL_LINK_ACK:
	case VOL_LINK_KEY:
	case VOL_LINK_TURN:
	case VOL_LINK_TURNED:
		return true;
	default:
		return false;
	}
}

static void on_message(struct vol_conn *c, const json_t *json, void *arg)
{
	struct vol_uplink *u = arg;
	struct vol_link_msg msg;
	struct vol_error err = {"out of turn"};
	unsigned todo;

	(void)c;
	if (vol_link_decode(json, &msg, &err) < 0 ||
	    !is_acceptable(u, &msg, &err)) {
		note_trouble(u, err.text);
		run(u, vol_uplink_fsm_closed(&u->fsm, now_ms(u)));
		return;
	}
	if (!at_the_door(u, &msg, &todo, &err)) {
		note_trouble(u, err.text);
		run(u, todo);
		return;
	}
	if (msg.type == VOL_LINK_REFUSE)
		on_refused(u, &msg);
	todo = vol_uplink_fsm_message(&u->fsm, now_ms(u), &msg);
	if (todo & VOL_UPLINK_DO_WELCOMED)
		u->welcome = msg;
	if (todo & VOL_UPLINK_DO_CLOSE && msg.type != VOL_LINK_REFUSE)
		note_trouble(u, "message out of place");
	run(u, todo);
	if (u->fsm.state == VOL_UPLINK_UP && is_for_device(msg.type))
		u->ops->message(&msg, u->arg);
	vol_link_wipe(&msg);
}

/* ---- the fence ---- */

static void save_fence(struct vol_uplink *u, uint64_t now)
{
	const struct vol_fence *f = &u->fsm.fence;
	struct vol_error err;

	/* An older time on file only makes the next discoveryd stricter. */
	if (!f->armed || now - u->saved_ms < SAVE_MS ||
	    (f->acked_ms == u->saved.acked_ms &&
	     f->lease_ms == u->saved.lease_ms))
		return;
	u->saved_ms = now;
	u->saved = *f;
	if (vol_fence_file_save(VOL_FENCE_FILE, u->boot, f, &err) < 0)
		vol_warn("%s", err.text);
}

static void load_fence(struct vol_uplink *u)
{
	struct vol_error err = {""};

	if (vol_identity_boot(u->boot, &err) < 0 ||
	    vol_fence_file_load(VOL_FENCE_FILE, u->boot, now_ms(u), &u->saved,
				&err) < 0)
		vol_warn("%s", err.text);
}

static void on_probed(bool nobody, void *arg)
{
	struct vol_uplink *u = arg;

	vol_probe_destroy(u->probe);
	u->probe = NULL;
	if (!nobody)
		return;
	vol_debug("%s runs slurmctld without discoveryd", u->home.address);
	vol_uplink_fsm_nobody(&u->fsm, u->probe_ms);
	save_fence(u, now_ms(u));
}

static void probe(struct vol_uplink *u)
{
	struct vol_error err;

	/* slurmctld on another host says nothing about this one. */
	if (u->probe || u->welcome.type != VOL_LINK_WELCOME ||
	    (u->welcome.conf_host[0] &&
	     strcmp(u->welcome.conf_host, u->home.address) != 0))
		return;
	u->probe_ms = now_ms(u);
	u->probe = vol_probe_start(u->loop, u->home.address, u->home.port,
				   u->welcome.conf_port, on_probed, u, &err);
	if (!u->probe)
		vol_debug("no probe: %s", err.text);
}

static const struct vol_conn_ops conn_ops = {
	.message = on_message,
	.closed = on_closed,
	.connected = on_connected,
	.reached = on_reached,
};

/* ---- what the state machine asks for ---- */

static unsigned dial(struct vol_uplink *u)
{
	const struct vol_candidate *target = vol_find_next(u->find);
	struct vol_error err;

	if (!target)
		return vol_uplink_fsm_no_target(&u->fsm, now_ms(u));
	u->target = *target;
	u->fsm.at_home = !strcmp(target->address, u->home.address) &&
			 target->port == u->home.port;
	vol_debug("dialing %s port %u", target->address, target->port);
	u->conn = vol_conn_dial_tls(u->loop, target->address, target->port,
				    MAX_QUEUE, u->tls, &u->pin, &conn_ops, u,
				    &err);
	if (!u->conn) {
		note_trouble(u, err.text);
		return vol_uplink_fsm_closed(&u->fsm, now_ms(u));
	}
	return vol_uplink_fsm_dialed(&u->fsm, now_ms(u),
				     vol_find_count(u->find) > 1);
}

static void greet(struct vol_uplink *u)
{
	struct vol_link_msg msg = {.type = VOL_LINK_HELLO,
				   .proto = VOL_LINK_PROTO},
			    knock;

	/* After it was approved a hello is due, which asks again. */
	u->fsm.knocked =
		u->ops->knocks(vol_conn_peer_key(u->conn), &knock, u->arg);
	if (u->fsm.knocked)
		msg = knock;
	else
		u->ops->hello(&msg, u->arg);
	send_msg(u, &msg);
	vol_link_wipe(&msg);
}

static void ping(struct vol_uplink *u)
{
	struct vol_link_msg msg = {.type = VOL_LINK_PING, .seq = u->fsm.seq};

	send_msg(u, &msg);
}

static void welcomed(struct vol_uplink *u)
{
	u->trouble.text[0] = u->logged.text[0] = '\0';
	u->home = u->target;
	vol_find_welcomed(u->find, u->target.address, u->target.port,
			  u->welcome.cluster, u->welcome.node);
	u->ops->welcomed(&u->welcome, vol_conn_peer(u->conn),
			 vol_conn_local(u->conn), vol_conn_peer_key(u->conn),
			 u->arg);
}

static void set_timer(struct vol_uplink *u)
{
	uint64_t deadline = vol_uplink_fsm_deadline(&u->fsm);

	if (deadline == UINT64_MAX) {
		sd_event_source_set_enabled(u->timer, SD_EVENT_OFF);
		return;
	}
	sd_event_source_set_time(u->timer, deadline * 1000);
	sd_event_source_set_enabled(u->timer, SD_EVENT_ONESHOT);
}

static void run(struct vol_uplink *u, unsigned todo)
{
	while (todo) {
		unsigned next = 0;

		if (todo & VOL_UPLINK_DO_CLOSE)
			drop(u);
		if (todo & VOL_UPLINK_DO_LOST) {
			if (!u->trouble.text[0])
				set_trouble(u, "no sign of life");
			u->ops->lost(u->trouble.text, u->arg);
		}
		if (todo & VOL_UPLINK_DO_DIAL)
			next = dial(u);
		if (todo & VOL_UPLINK_DO_HELLO)
			greet(u);
		if (todo & VOL_UPLINK_DO_PING)
			ping(u);
		if (todo & VOL_UPLINK_DO_WELCOMED)
			welcomed(u);
		if (todo & VOL_UPLINK_DO_PROBE)
			probe(u);
		todo = next;
	}
	save_fence(u, now_ms(u));
	set_timer(u);
}

static int on_timer(sd_event_source *s, uint64_t usec, void *arg)
{
	struct vol_uplink *u = arg;

	(void)s;
	(void)usec;
	run(u, vol_uplink_fsm_time(&u->fsm, now_ms(u)));
	return 0;
}

/* ---- interface ---- */

struct vol_uplink *vol_uplink_create(sd_event *loop, struct vol_find *find,
				     struct vol_tls_context *tls,
				     const struct vol_uplink_ops *ops,
				     void *arg, struct vol_error *err)
{
	struct vol_uplink *u = calloc(1, sizeof(*u));
	uint64_t seed = 0;
	int r;

	if (!u) {
		vol_errorf(err, "out of memory");
		return NULL;
	}
	u->loop = sd_event_ref(loop);
	u->find = find;
	u->tls = tls;
	u->ops = ops;
	u->arg = arg;
	r = sd_event_add_time(loop, &u->timer, CLOCK_BOOTTIME, 0, ACCURACY_US,
			      on_timer, u);
	if (r < 0) {
		vol_errorf_errno(err, -r, "uplink timer: %s", strerror(-r));
		vol_uplink_destroy(u);
		return NULL;
	}
	/* Only jitter hangs on it. */
	if (getrandom(&seed, sizeof(seed), 0) < 0)
		seed = (uint64_t)getpid();
	load_fence(u);
	vol_uplink_fsm_init(&u->fsm, now_ms(u), seed, &u->saved);
	set_timer(u);
	return u;
}

void vol_uplink_destroy(struct vol_uplink *u)
{
	int saved = errno;

	if (!u)
		return;
	drop(u);
	vol_probe_destroy(u->probe);
	sd_event_source_disable_unref(u->timer);
	sd_event_unref(u->loop);
	free(u);
	errno = saved;
}

void vol_uplink_pin(struct vol_uplink *u, const struct vol_tls_pin *pin)
{
	u->pin = *pin;
}

void vol_uplink_again(struct vol_uplink *u)
{
	run(u, vol_uplink_fsm_redial(&u->fsm, now_ms(u)));
}

void vol_uplink_target(struct vol_uplink *u)
{
	run(u, vol_uplink_fsm_target(&u->fsm, now_ms(u)));
}

int vol_uplink_send(struct vol_uplink *u, const struct vol_link_msg *msg)
{
	return u->fsm.state == VOL_UPLINK_UP ? send_msg(u, msg) : -1;
}

void vol_uplink_moved(struct vol_uplink *u, const char *address)
{
	bool up = u->fsm.state == VOL_UPLINK_UP ||
		  u->fsm.state == VOL_UPLINK_GREETING;

	/* A new address does no harm to a link that works. */
	if (!address && up)
		return;
	if (address && (!up || strcmp(address, vol_conn_local(u->conn)) != 0))
		return;
	if (address)
		note_trouble(u, "our address is gone");
	run(u, vol_uplink_fsm_redial(&u->fsm, now_ms(u)));
}

void vol_uplink_redial(struct vol_uplink *u, const char *reason)
{
	note_trouble(u, reason);
	run(u, vol_uplink_fsm_redial(&u->fsm, now_ms(u)));
}

void vol_uplink_leave(struct vol_uplink *u, const char *reason)
{
	struct vol_link_msg msg = {.type = VOL_LINK_BYE};
	bool up = u->fsm.state == VOL_UPLINK_UP;

	snprintf(msg.reason, sizeof(msg.reason), "%s", reason);
	run(u, vol_uplink_fsm_leave(&u->fsm, now_ms(u)));
	if (up && send_msg(u, &msg) == 0) {
		vol_conn_finish(u->conn);
		u->conn = NULL;
	}
	drop(u);
}

void vol_uplink_fence(const struct vol_uplink *u, struct vol_fence *fence)
{
	*fence = u->fsm.fence;
}

void vol_uplink_status(const struct vol_uplink *u,
		       struct vol_uplink_status *status)
{
	memset(status, 0, sizeof(*status));
	status->state = u->fsm.state;
	status->for_ms = now_ms(u) - u->fsm.since_ms;
	status->trouble = u->trouble;
	status->port = u->target.port;
	snprintf(status->cluster, sizeof(status->cluster), "%s",
		 u->welcome.cluster);
	snprintf(status->peer, sizeof(status->peer), "%s", u->target.address);
	if (u->conn && u->fsm.state == VOL_UPLINK_UP)
		snprintf(status->local, sizeof(status->local), "%s",
			 vol_conn_local(u->conn));
}
