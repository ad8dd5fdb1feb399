/* SPDX-License-Identifier: GPL-2.0-or-later */
/* peer.c - one link, from its handshake to its end
 *
 * A peer is a STRANGER until its hello is answered; by then TLS has told whose
 * key it holds.  STRANGER -> (CLAIMANT ->) ADMITTED.
 *
 * One that knocks agrees on a code (shortcode.h) and waits: STRANGER ->
 * AGREEING -> WAITING -> STRANGER, when an administrator has approved it; then
 * it says hello.  While it waits it is a link, a few hundred bytes and a line
 * in `volunteer devices --pending`.
 *
 * A claimant says hello for a device whose
 * older link still looks alive; whether it is is asked of the kernel: a message
 * is sent over the older link, and if its host has not acknowledged it within a
 * second, nobody is there and the newcomer takes over.
 */
#include "config.h"

#include <errno.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "conn.h"
#include "controller.h"
#include "digest.h"
#include "door.h"
#include "hex.h"
#include "images.h"
#include "log.h"
#include "nodes.h"

/* All messages of a busy minute; a device that reads nothing is dropped. */
#define QUEUE_MAX          (64 * 1024)
#define CLAIM_MS           1000
#define RETRY_SLURM_MS     2000
#define RETRY_DUPLICATE_MS 30000
#define RETRY_MESSAGE_MS   60000
#define RETRY_KNOCK_MS     10000
/* One that waits says ping each 15 s. */
#define WAITING_MS 60000

enum state { STRANGER, AGREEING, WAITING, CLAIMANT, ADMITTED, GONE };

struct vol_peer {
	struct vol_controller *c;
	struct vol_server *server;
	struct vol_gate_place place; /* on its way in */
	struct vol_conn *conn;
	struct vol_member *member; /* of an admitted one */
	enum state state;
	struct vol_link_msg *hello;  /* of a claimant */
	struct vol_waiting *waiting; /* AGREEING and WAITING; owned */
	uint64_t heard_at;
	sd_event_source *timer;
	struct vol_peer *next, **back;
};

static void unlink_peer(struct vol_peer *p)
{
	if (!p->back)
		return;
	*p->back = p->next;
	if (p->next)
		p->next->back = p->back;
	p->back = NULL;
}

/* Its line in the list of those that may be approved stays as long as its link,
 * and was heard of last when that ended. */
static void note_waits(struct vol_peer *p, bool waits)
{
	struct vol_device *d =
		vol_registry_by_id(p->c->registry, p->waiting->id);

	vol_server_waits(p->server, p, waits);
	if (!d)
		return;
	d->waits = waits;
	d->last_seen = time(NULL);
	vol_registry_touch(p->c->registry, d);
}

/* It has left the state that it was in. */
static void settle(struct vol_peer *p, enum state state)
{
	struct vol_member *member;

	if (p->state == WAITING)
		note_waits(p, false);
	if (p->state == CLAIMANT) {
		member = vol_controller_member_by_id(p->c, p->hello->id);
		if (member && member->claimant == p)
			member->claimant = NULL;
	}
	p->state = state;
	if (state != STRANGER && state != AGREEING)
		vol_server_passed(p->server, &p->place);
	if (state == WAITING)
		note_waits(p, true);
	if (state == ADMITTED)
		vol_conn_join(p->conn, vol_server_pool(p->server, true));
}

void vol_peer_destroy(struct vol_peer *p)
{
	if (!p)
		return;
	settle(p, GONE);
	unlink_peer(p);
	if (p->member && p->member->peer == p)
		vol_member_detach(p->member, p->heard_at);
	sd_event_source_disable_unref(p->timer);
	vol_conn_destroy(p->conn);
	free(p->hello);
	free(p->waiting);
	free(p);
}

const char *vol_peer_address(const struct vol_peer *p)
{
	return vol_conn_peer(p->conn);
}

struct vol_peer *vol_peer_next(const struct vol_peer *p)
{
	return p->next;
}

void vol_peer_link(struct vol_peer *p, struct vol_peer **list)
{
	unlink_peer(p);
	p->next = *list;
	p->back = list;
	if (p->next)
		p->next->back = &p->next;
	*list = p;
}

struct vol_gate_place *vol_peer_place(struct vol_peer *p)
{
	return &p->place;
}

struct vol_peer *vol_peer_at(struct vol_gate_place *place)
{
	return (struct vol_peer *)(void *)((char *)place -
					   offsetof(struct vol_peer, place));
}

bool vol_peer_is_proven(const struct vol_peer *p)
{
	return p->state == ADMITTED && vol_conn_peer_key(p->conn) != NULL;
}

const struct vol_waiting *vol_peer_waiting(const struct vol_peer *p)
{
	return p->state == WAITING ? p->waiting : NULL;
}

void vol_peer_send(struct vol_peer *p, const struct vol_link_msg *msg)
{
	json_t *json = vol_link_encode(msg);

	if (!json) {
		vol_err("%s: out of memory", vol_peer_address(p));
		return;
	}
	/* -1: closing; "closed" tells us. */
	(void)vol_conn_send(p->conn, json);
	json_decref(json);
}

void vol_peer_refuse(struct vol_peer *p, const char *code, const char *reason,
		     uint32_t retry_ms)
{
	struct vol_link_msg msg = {.type = VOL_LINK_REFUSE,
				   .retry_ms = retry_ms};

	snprintf(msg.code, sizeof(msg.code), "%s", code);
	snprintf(msg.reason, sizeof(msg.reason), "%s", reason);
	vol_peer_send(p, &msg);
	vol_conn_finish(p->conn);
	p->conn = NULL;
	vol_peer_destroy(p);
}

/* Refuse, with one line in the log per peer and reason. */
static void turn_away(struct vol_peer *p, const char *code, const char *reason,
		      uint32_t retry_ms)
{
	vol_refusals_log(&p->c->refusals, "refused", vol_peer_address(p),
			 reason);
	vol_peer_refuse(p, code, reason, retry_ms);
}

/* As the door said. */
static void turn_away_as(struct vol_peer *p, const struct vol_refusal *r)
{
	if (r->logged)
		vol_peer_refuse(p, r->code, r->reason, r->retry_ms);
	else
		turn_away(p, r->code, r->reason, r->retry_ms);
}

void vol_peer_make_room(struct vol_peer *p)
{
	vol_refusals_log(&p->c->refusals, "refused", vol_peer_address(p),
			 "too many links without a hello");
	vol_peer_destroy(p);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *arg);

static void arm(struct vol_peer *p, uint64_t ms)
{
	if (!p->timer &&
	    sd_event_add_time_relative(p->c->loop, &p->timer, CLOCK_BOOTTIME,
				       ms * 1000, 0, on_timer, p) < 0) {
		vol_err("%s: no timer", vol_peer_address(p));
		return;
	}
	sd_event_source_set_time_relative(p->timer, ms * 1000);
	sd_event_source_set_enabled(p->timer, SD_EVENT_ONESHOT);
}

static void take_member(struct vol_peer *p, struct vol_member *member,
			const struct vol_link_msg *hello)
{
	settle(p, ADMITTED);
	p->member = member;
	p->heard_at = vol_controller_now_ms();
	arm(p, vol_member_lease_ms(member));
	vol_member_attach(member, p, hello);
}

/* Has the other host acknowledged all we sent it? */
static bool has_acknowledged(const struct vol_peer *p)
{
	int waiting;

	return ioctl(vol_conn_fd(p->conn), SIOCOUTQ, &waiting) == 0 &&
	       waiting == 0;
}

static void probe(struct vol_peer *older)
{
	struct vol_link_msg msg = {.type = VOL_LINK_NODE};

	/* What it was told last: repeating it changes nothing. */
	msg.node_state = older->member->told;
	if (older->member->told_reason)
		snprintf(msg.reason, sizeof(msg.reason), "%s",
			 older->member->told_reason);
	vol_peer_send(older, &msg);
}

static void claim(struct vol_peer *p, struct vol_member *member,
		  const struct vol_link_msg *hello)
{
	p->hello = malloc(sizeof(*p->hello));
	if (!p->hello) {
		vol_peer_refuse(p, "busy", "out of memory", RETRY_SLURM_MS);
		return;
	}
	*p->hello = *hello;
	/* Of one device there is at most one. */
	vol_peer_destroy(member->claimant);
	settle(p, CLAIMANT);
	member->claimant = p;
	probe(member->peer);
	arm(p, CLAIM_MS);
}

/* The member of a peer that may come in; NULL: it was turned away. */
static struct vol_member *admit(struct vol_peer *p,
				const struct vol_link_msg *hello)
{
	struct vol_refusal refusal;
	struct vol_member *member;
	struct vol_error err;

	if (vol_door_ask(p->c->door, vol_conn_peer_key(p->conn), hello,
			 vol_peer_address(p), &refusal) != VOL_ADMIT_IN) {
		turn_away_as(p, &refusal);
		return NULL;
	}
	member = vol_controller_member(p->c, hello->id, &err);
	if (!member)
		turn_away(p, "slurm_away", err.text, RETRY_SLURM_MS);
	return member;
}

static void on_claim_over(struct vol_peer *p)
{
	char reason[VOL_REASON_SIZE];
	/* Once more: it may have been revoked meanwhile. */
	struct vol_member *member = admit(p, p->hello);

	if (!member)
		return;
	if (member->peer && has_acknowledged(member->peer)) {
		snprintf(reason, sizeof(reason),
			 "device %.8s is already linked from %s: two machines "
			 "with one identity?",
			 member->id, vol_peer_address(member->peer));
		turn_away(p, "duplicate_id", reason, RETRY_DUPLICATE_MS);
		return;
	}
	take_member(p, member, p->hello);
}

static void on_hello(struct vol_peer *p, const struct vol_link_msg *hello)
{
	struct vol_member *member = admit(p, hello);

	if (!member)
		return;
	/* The same boot at the same address is the same daemon, restarted. */
	if (member->peer &&
	    (strcmp(member->boot, hello->boot) != 0 ||
	     strcmp(member->device->address, vol_peer_address(p)) != 0))
		claim(p, member, hello);
	else
		take_member(p, member, hello);
}

/* ---- those that knock ---- */

void vol_peer_approved(struct vol_peer *p)
{
	struct vol_link_msg msg = {.type = VOL_LINK_APPROVED};

	settle(p, STRANGER);
	free(p->waiting);
	p->waiting = NULL;
	arm(p, VOL_SERVER_HELLO_MS);
	vol_peer_send(p, &msg);
}

/* Our number, and how its sender will know that it came before theirs. */
static int commit_to(struct vol_peer *p, const struct vol_link_msg *knock,
		     struct vol_error *err)
{
	uint8_t commit[VOL_SHA256_BYTES], nonce[VOL_SHORTCODE_NONCE];
	struct vol_link_msg msg = {.type = VOL_LINK_NONCE};
	struct vol_waiting *w = calloc(1, sizeof(*w));

	p->waiting = w;
	if (!w || vol_random(nonce, sizeof(nonce)) < 0)
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	memcpy(w->id, knock->id, sizeof(w->id));
	memcpy(w->hostname, knock->hostname, sizeof(w->hostname));
	vol_hex_decode(knock->commit, commit, sizeof(commit));
	vol_shortcode_init(&w->code, vol_controller_key(p->c),
			   vol_conn_peer_key(p->conn));
	if (vol_shortcode_committed(&w->code, commit, nonce, err) < 0)
		return -1;
	vol_hex_encode(nonce, sizeof(nonce), msg.nonce);
	settle(p, AGREEING);
	vol_peer_send(p, &msg);
	return 0;
}

static void on_knock(struct vol_peer *p, const struct vol_link_msg *knock)
{
	struct vol_refusal refusal;
	struct vol_error err;

	switch (vol_door_ask(p->c->door, vol_conn_peer_key(p->conn), knock,
			     vol_peer_address(p), &refusal)) {
	case VOL_ADMIT_IN:
		vol_peer_approved(p);
		return;
	case VOL_ADMIT_PEND:
		break;
	default:
		turn_away_as(p, &refusal);
		return;
	}
	if (!vol_server_may_wait(p->server, p) ||
	    !vol_door_may_knock(p->c->door, vol_peer_address(p)))
		turn_away(p, "busy", "too many wait for approval",
			  RETRY_KNOCK_MS);
	else if (commit_to(p, knock, &err) < 0)
		vol_peer_refuse(p, "busy", err.text, RETRY_KNOCK_MS);
}

static void on_reveal(struct vol_peer *p, const struct vol_link_msg *msg)
{
	struct vol_link_msg pending = {
		.type = VOL_LINK_PENDING,
		.reason = "an administrator must approve it",
	};
	struct vol_waiting *w = p->waiting;
	uint8_t nonce[VOL_SHORTCODE_NONCE];
	char who[VOL_REASON_SIZE];
	struct vol_error err;

	vol_hex_decode(msg->nonce, nonce, sizeof(nonce));
	if (vol_shortcode_revealed(&w->code, nonce, vol_sha256, &err) < 0) {
		turn_away(p, "bad_message", err.text, RETRY_MESSAGE_MS);
		return;
	}
	/* Of one device the newest link is the one that is there. */
	vol_server_drop_waiting(p->server, w->id);
	if (!vol_server_may_wait(p->server, p)) {
		turn_away(p, "busy", "too many wait for approval",
			  RETRY_KNOCK_MS);
		return;
	}
	/* Not saved for that: strangers cost no write. */
	if (!vol_registry_knock(p->c->registry, vol_conn_peer_key(p->conn),
				w->hostname, vol_peer_address(p), time(NULL),
				&err)) {
		turn_away(p, "busy", err.text, RETRY_KNOCK_MS);
		return;
	}
	settle(p, WAITING);
	w->since = time(NULL);
	arm(p, WAITING_MS);
	snprintf(who, sizeof(who), "host %.100s, device %.8s", w->hostname,
		 w->id);
	vol_refusals_log(&p->c->refusals,
			 "waits for approval:", vol_peer_address(p), who);
	memcpy(pending.cluster, p->c->slurm.cluster, sizeof(pending.cluster));
	vol_peer_send(p, &pending);
}

static void on_ping(struct vol_peer *p, const struct vol_link_msg *msg)
{
	struct vol_link_msg pong = {.type = VOL_LINK_PONG, .seq = msg->seq};

	if (p->member)
		vol_nodes_mark(p->member);
	vol_peer_send(p, &pong);
}

static void unexpected(struct vol_peer *p, const struct vol_link_msg *msg)
{
	char reason[VOL_REASON_SIZE];

	snprintf(reason, sizeof(reason), "unexpected message \"%s\"",
		 vol_link_type_name(msg->type));
	turn_away(p, "bad_message", reason, RETRY_MESSAGE_MS);
}

static bool is_for_member(enum vol_link_type type)
{
	switch (type) {
	case VOL_LINK_STATE:
	case VOL_LINK_HARVEST:
	case VOL_LINK_MOVED:
	case VOL_LINK_EVICT:
	case VOL_LINK_CHECK:
	case VOL_LINK_UNBEGUN:
	case VOL_LINK_PARKED:
	case VOL_LINK_FACTS:
	case VOL_LINK_MACHINE:
	case VOL_LINK_KEYED:
	case VOL_LINK_BYE:
		return true;
	default:
		return false;
	}
}

/* It is no link: the connection goes on without a peer. */
static void on_image(struct vol_peer *p, const struct vol_link_msg *msg)
{
	struct vol_controller *c = p->c;
	struct vol_conn *conn = p->conn;

	p->conn = NULL;
	vol_peer_destroy(p);
	vol_images_serve(c->images, conn, msg);
}

static void on_message(struct vol_conn *conn, const json_t *json, void *arg)
{
	struct vol_peer *p = arg;
	struct vol_link_msg msg;
	struct vol_error err;

	(void)conn;
	if (vol_link_decode(json, &msg, &err) < 0) {
		turn_away(p,
			  errno == EPROTONOSUPPORT ? "version" : "bad_message",
			  err.text, RETRY_MESSAGE_MS);
		return;
	}
	p->heard_at = vol_controller_now_ms();
	if (p->state == STRANGER && msg.type == VOL_LINK_HELLO)
		on_hello(p, &msg);
	else if (p->state == STRANGER && msg.type == VOL_LINK_KNOCK)
		on_knock(p, &msg);
	else if (p->state == STRANGER && (msg.type == VOL_LINK_IMAGE_PUT ||
					  msg.type == VOL_LINK_IMAGE_GET))
		on_image(p, &msg);
	else if (p->state == AGREEING && msg.type == VOL_LINK_REVEAL)
		on_reveal(p, &msg);
	else if ((p->state == ADMITTED || p->state == WAITING) &&
		 msg.type == VOL_LINK_PING)
		on_ping(p, &msg);
	else if (p->state == ADMITTED && is_for_member(msg.type))
		vol_member_message(p->member, &msg);
	else
		unexpected(p, &msg);
	vol_link_wipe(&msg);
}

static void on_closed(struct vol_conn *conn, const char *reason, bool protocol,
		      void *arg)
{
	struct vol_peer *p = arg;

	(void)conn;
	/* Who asks for nothing, time and again, looks for something. */
	if (!protocol && (p->state == STRANGER || p->state == AGREEING))
		vol_refusals_log(&p->c->refusals, "not served",
				 vol_peer_address(p), reason);
	else if (protocol)
		vol_refusals_log(&p->c->refusals, "refused",
				 vol_peer_address(p), reason);
	else if (p->state == ADMITTED)
		vol_info("%s (%s): link ended: %s", p->member->node_name,
			 vol_peer_address(p), reason);
	vol_peer_destroy(p);
}

/* Nothing was heard for longer than it may be silent. */
static void on_silence(struct vol_peer *p, uint64_t silent)
{
	if (p->state == ADMITTED)
		vol_info("%s (%s): silent for %llu s, link closed",
			 p->member->node_name, vol_peer_address(p),
			 (unsigned long long)silent / 1000);
	vol_peer_destroy(p);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *arg)
{
	struct vol_peer *p = arg;
	uint64_t silent, limit = WAITING_MS;

	(void)source;
	(void)usec;
	if (p->state == STRANGER || p->state == AGREEING) {
		turn_away(p, "bad_message", "no hello in time", RETRY_SLURM_MS);
		return 0;
	}
	if (p->state == CLAIMANT) {
		on_claim_over(p);
		return 0;
	}
	if (p->state == ADMITTED)
		limit = vol_member_lease_ms(p->member);
	silent = vol_controller_now_ms() - p->heard_at;
	if (silent < limit)
		arm(p, limit - silent);
	else
		on_silence(p, silent);
	return 0;
}

struct vol_peer *vol_peer_create(struct vol_controller *c,
				 struct vol_server *server, int fd,
				 struct vol_error *err)
{
	static const struct vol_conn_ops ops = {
		.message = on_message,
		.closed = on_closed,
	};
	struct vol_peer *p = calloc(1, sizeof(*p));

	if (!p) {
		vol_errorf(err, "out of memory");
		return NULL;
	}
	p->c = c;
	p->server = server;
	p->conn = vol_conn_attach_tls(c->loop, fd, QUEUE_MAX, c->tls, &ops, p,
				      err);
	if (!p->conn) {
		free(p);
		return NULL;
	}
	vol_conn_join(p->conn, vol_server_pool(server, false));
	arm(p, VOL_SERVER_HELLO_MS);
	return p;
}
