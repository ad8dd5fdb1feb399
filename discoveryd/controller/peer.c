/* SPDX-License-Identifier: GPL-2.0-or-later */
/* peer.c - one link, from its hello to its end
 *
 * STRANGER -> (CLAIMANT ->) ADMITTED.  A claimant says hello for a device whose
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

#include "auth.h"
#include "conn.h"
#include "controller.h"
#include "log.h"
#include "nodes.h"

/* All messages of a busy minute; a device that reads nothing is dropped. */
#define QUEUE_MAX          (64 * 1024)
#define CLAIM_MS           1000
#define RETRY_SLURM_MS     2000
#define RETRY_DUPLICATE_MS 30000
#define RETRY_MESSAGE_MS   60000

enum state { STRANGER, CLAIMANT, ADMITTED };

struct vol_peer {
	struct vol_controller *c;
	struct vol_conn *conn;
	struct vol_member *member; /* of an admitted one */
	enum state state;
	struct vol_link_msg *hello; /* of a claimant */
	uint64_t heard_at;
	sd_event_source *timer;
	struct vol_peer *next, **back;
};

void vol_peer_destroy(struct vol_peer *p)
{
	if (!p)
		return;
	if (p->back) {
		*p->back = p->next;
		if (p->next)
			p->next->back = p->back;
	}
	if (p->member && p->member->peer == p)
		vol_member_detach(p->member, p->heard_at);
	sd_event_source_disable_unref(p->timer);
	vol_conn_destroy(p->conn);
	free(p->hello);
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
	p->next = *list;
	p->back = list;
	if (p->next)
		p->next->back = &p->next;
	*list = p;
}

int vol_peer_is_stranger(const struct vol_peer *p)
{
	return p->state != ADMITTED;
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
	p->state = ADMITTED;
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
	p->state = CLAIMANT;
	probe(member->peer);
	arm(p, CLAIM_MS);
}

static void on_claim_over(struct vol_peer *p)
{
	struct vol_error err;
	char reason[VOL_REASON_SIZE];
	struct vol_member *member;

	member = vol_controller_member(p->c, p->hello->id, p->hello->hostname,
				       &err);
	if (!member) {
		turn_away(p, "slurm_away", err.text, RETRY_SLURM_MS);
		return;
	}
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
	struct vol_refusal refusal;
	struct vol_member *member;
	struct vol_error err;

	if (!vol_auth_admit(&p->c->conf, hello, vol_peer_address(p),
			    &refusal)) {
		turn_away(p, refusal.code, refusal.reason, refusal.retry_ms);
		return;
	}
	member = vol_controller_member(p->c, hello->id, hello->hostname, &err);
	if (!member) {
		turn_away(p, "slurm_away", err.text, RETRY_SLURM_MS);
		return;
	}
	/* The same boot at the same address is the same daemon, restarted. */
	if (member->peer && (strcmp(member->boot, hello->boot) != 0 ||
			     strcmp(member->address, vol_peer_address(p)) != 0))
		claim(p, member, hello);
	else
		take_member(p, member, hello);
}

static void on_ping(struct vol_peer *p, const struct vol_link_msg *msg)
{
	struct vol_link_msg pong = {.type = VOL_LINK_PONG, .seq = msg->seq};

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
	case VOL_LINK_EVICT:
	case VOL_LINK_CHECK:
	case VOL_LINK_PARKED:
	case VOL_LINK_FACTS:
	case VOL_LINK_BYE:
		return true;
	default:
		return false;
	}
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
	else if (p->state != ADMITTED)
		unexpected(p, &msg);
	else if (msg.type == VOL_LINK_PING)
		on_ping(p, &msg);
	else if (is_for_member(msg.type))
		vol_member_message(p->member, &msg);
	else
		unexpected(p, &msg);
}

static void on_closed(struct vol_conn *conn, const char *reason, bool protocol,
		      void *arg)
{
	struct vol_peer *p = arg;

	(void)conn;
	if (protocol)
		vol_refusals_log(&p->c->refusals, "refused",
				 vol_peer_address(p), reason);
	else if (p->state == ADMITTED)
		vol_info("%s (%s): link ended: %s", p->member->node_name,
			 vol_peer_address(p), reason);
	vol_peer_destroy(p);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *arg)
{
	struct vol_peer *p = arg;
	uint64_t silent;

	(void)source;
	(void)usec;
	if (p->state == STRANGER) {
		turn_away(p, "bad_message", "no hello in time", RETRY_SLURM_MS);
		return 0;
	}
	if (p->state == CLAIMANT) {
		on_claim_over(p);
		return 0;
	}
	silent = vol_controller_now_ms() - p->heard_at;
	if (silent < vol_member_lease_ms(p->member)) {
		arm(p, vol_member_lease_ms(p->member) - silent);
		return 0;
	}
	vol_info("%s (%s): silent for %llu s, link closed",
		 p->member->node_name, vol_peer_address(p),
		 (unsigned long long)silent / 1000);
	vol_peer_destroy(p);
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

	(void)server;
	if (!p) {
		vol_errorf(err, "out of memory");
		return NULL;
	}
	p->c = c;
	p->conn = vol_conn_attach(c->loop, fd, QUEUE_MAX, &ops, p, err);
	if (!p->conn) {
		free(p);
		return NULL;
	}
	arm(p, VOL_SERVER_HELLO_MS);
	return p;
}
