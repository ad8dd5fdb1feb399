/* SPDX-License-Identifier: GPL-2.0-or-later */
/* door.c - who is let in by this controller, and why */
#include "config.h"

#include "door.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "authkey.h"
#include "cleanup.h"
#include "controller.h"
#include "digest.h"
#include "gate.h"
#include "hex.h"
#include "log.h"
#include "ration.h"
#include "tickets.h"

/* While slurmctld can not be asked, no name can be chosen. */
#define RETRY_SLURM_MS   2000
#define RETRY_FAILED_MS  10000
#define RETRY_VERSION_MS 600000

/* The timer for expiries runs at least that often, since the clock of the wall
 * may jump over one. */
#define LOOK_MAX_S 600

/* What a network has had of the codes. */
struct share {
	struct vol_gate_network network;
	struct vol_ration ration;
};

struct vol_door {
	struct vol_controller *c;
	struct vol_tickets *tickets;
	sd_event_source *timer;
	struct vol_ration knocks;
	struct share shares[VOL_DOOR_NETWORKS];
};

static struct vol_tickets_clock now(void)
{
	return (struct vol_tickets_clock){
		.wall = time(NULL),
		.boot_s = vol_controller_now_ms() / 1000,
	};
}

int vol_door_save(struct vol_door *d, struct vol_error *err)
{
	return vol_tickets_save(d->tickets, err);
}

/* ---- expiry ---- */

static int on_timer(sd_event_source *source, uint64_t usec, void *arg);

static void arm(struct vol_door *d)
{
	struct vol_tickets_clock t = now();
	uint64_t next = vol_tickets_next_s(d->tickets, &t);

	if (next == UINT64_MAX && vol_tickets_count(d->tickets) == 0) {
		d->timer = sd_event_source_disable_unref(d->timer);
		return;
	}
	next = next < LOOK_MAX_S ? next + 1 : LOOK_MAX_S;
	d->timer = sd_event_source_disable_unref(d->timer);
	if (sd_event_add_time_relative(d->c->loop, &d->timer, CLOCK_BOOTTIME,
				       next * 1000000, 0, on_timer, d) < 0)
		vol_err("tokens: no timer");
}

/* An expiry is on disk before the clock can be set back. */
static void look(struct vol_door *d)
{
	struct vol_tickets_clock t = now();
	struct vol_error err;

	vol_tickets_prune(d->tickets, &t);
	if (vol_tickets_save(d->tickets, &err) < 0)
		vol_err("tokens not written: %s", err.text);
	arm(d);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *arg)
{
	(void)source;
	(void)usec;
	look(arg);
	return 0;
}

struct vol_door *vol_door_create(struct vol_controller *c,
				 struct vol_error *err)
{
	cleanup_free char *path = NULL;
	struct vol_door *d = calloc(1, sizeof(*d));

	if (!d || asprintf(&path, "%s/tickets.json", c->conf.state_dir) < 0) {
		free(d);
		vol_errorf_errno(err, ENOMEM, "out of memory");
		return NULL;
	}
	d->c = c;
	d->tickets = vol_tickets_load(path, err);
	if (!d->tickets) {
		free(d);
		return NULL;
	}
	look(d);
	return d;
}

void vol_door_destroy(struct vol_door *d)
{
	if (!d)
		return;
	sd_event_source_disable_unref(d->timer);
	vol_tickets_destroy(d->tickets);
	free(d);
}

/* ---- the decision ---- */

#define SHARE_MS ((uint64_t)VOL_DOOR_KNOCK_MS * VOL_DOOR_KNOCK_SHARE)

/* The network's, or that of the one that has had least: it loses least. */
static struct share *share_of(struct vol_door *d, const char *address,
			      uint64_t now_ms)
{
	struct share *least = d->shares;
	struct vol_gate_network net;

	vol_gate_network(address, &net);
	for (size_t i = 0; i < VOL_DOOR_NETWORKS; i++) {
		struct share *s = &d->shares[i];

		vol_ration_refill(&s->ration, SHARE_MS, now_ms);
		if (memcmp(&s->network, &net, sizeof(net)) == 0)
			return s;
		if (s->ration.spent < least->ration.spent)
			least = s;
	}
	*least = (struct share){.network = net};
	return least;
}

bool vol_door_may_knock(struct vol_door *d, const char *address)
{
	uint64_t now_ms = vol_controller_now_ms();
	struct share *s = share_of(d, address, now_ms);

	return vol_ration_take(&s->ration,
			       VOL_DOOR_KNOCKS / VOL_DOOR_KNOCK_SHARE, SHARE_MS,
			       now_ms) &&
	       vol_ration_take(&d->knocks, VOL_DOOR_KNOCKS, VOL_DOOR_KNOCK_MS,
			       now_ms);
}

/* The result of its token; id gets which it is. */
static enum vol_admit_token redeem(struct vol_door *d,
				   const struct vol_link_msg *msg,
				   const char *address,
				   char id[VOL_TICKET_ID_SIZE])
{
	uint8_t token[VOL_JOINTOKEN_ID + VOL_JOINTOKEN_SECRET];
	struct vol_tickets_clock t = now();
	enum vol_redeem result = VOL_REDEEM_UNKNOWN;
	char reason[80];

	/* link.h has seen that these are hex digits. */
	if (vol_hex_decode(msg->token, token, sizeof(token)))
		result = vol_tickets_redeem(d->tickets, token,
					    token + VOL_JOINTOKEN_ID, msg->id,
					    &t, vol_sha256);
	vol_hex_encode(token, VOL_JOINTOKEN_ID, id);
	explicit_bzero(token, sizeof(token));
	if (result != VOL_REDEEM_OK) {
		/* One that nobody made is no news: who guesses a thousand has
		 * one line. */
		snprintf(reason, sizeof(reason), "its token %s%s%s",
			 result == VOL_REDEEM_UNKNOWN ? "" : id,
			 result == VOL_REDEEM_UNKNOWN ? "" : " ",
			 vol_redeem_name(result));
		vol_refusals_log(&d->c->refusals, "refused", address, reason);
	}
	return vol_admit_token(result);
}

static enum vol_admission refuse(struct vol_refusal *refusal, const char *code,
				 const char *reason, uint32_t retry_ms)
{
	refusal->code = code;
	refusal->retry_ms = retry_ms;
	refusal->reason = reason;
	refusal->logged = false;
	return VOL_ADMIT_REFUSE;
}

static enum vol_admission approve(struct vol_door *d,
				  const struct vol_fingerprint *key,
				  const struct vol_link_msg *msg,
				  const char *by, const char *address,
				  struct vol_refusal *refusal)
{
	struct vol_member *member;
	struct vol_error err;

	member = vol_controller_approve(d->c, key, msg->hostname, by, &err);
	if (member) {
		vol_info("%s (%s): approved by %s: device %.8s",
			 member->node_name, address, by, msg->id);
		return VOL_ADMIT_IN;
	}
	if (errno == EAGAIN)
		return refuse(refusal, "slurm_away",
			      "slurmctld does not answer", RETRY_SLURM_MS);
	vol_err("%s: not approved: %s", address, err.text);
	return refuse(refusal, "busy", "it can not be registered just now",
		      RETRY_FAILED_MS);
}

/* One that is in, by a mode that asks nobody, has a token after all: somebody
 * speaks for it, and it may have the Slurm key.  With one that is not good it
 * stays what it was. */
static void vouch_by_token(struct vol_door *d, struct vol_device *device,
			   const struct vol_link_msg *msg, const char *address)
{
	char token[VOL_TICKET_ID_SIZE], by[VOL_BY_SIZE], before[VOL_BY_SIZE];
	struct vol_error err;

	if (!*msg->token ||
	    vol_handout_allows(VOL_HANDOUT_APPROVED, device->by) ||
	    redeem(d, msg, address, token) != VOL_TOKEN_OK)
		return;
	snprintf(by, sizeof(by), "token %s", token);
	memcpy(before, device->by, sizeof(before));
	if (vol_registry_vouch(d->c->registry, device->id, by, time(NULL),
			       &err) == 0) {
		/* The use of a token is on disk before it is worth anything. */
		if (vol_controller_save(d->c, &err) == 0) {
			vol_info("%s (%s): approved by %s: device %.8s",
				 device->node, address, by, device->id);
			return;
		}
		(void)vol_registry_vouch(d->c->registry, device->id, before,
					 time(NULL), NULL);
	}
	vol_err("%s: not approved by %s: %s", device->node, by, err.text);
}

enum vol_admission vol_door_ask(struct vol_door *d,
				const struct vol_fingerprint *key,
				const struct vol_link_msg *msg,
				const char *address,
				struct vol_refusal *refusal)
{
	struct vol_device *device = vol_registry_by_id(d->c->registry, msg->id);
	struct vol_admit a = {
		.mode = d->c->conf.approve_mode,
		.knock = msg->type == VOL_LINK_KNOCK,
		.key = vol_admit_key(msg->id, key),
		.standing = vol_admit_standing(device, key),
		.token = *msg->token ? VOL_TOKEN_GIVEN : VOL_TOKEN_NONE,
	};
	char token[VOL_TICKET_ID_SIZE] = "", by[VOL_BY_SIZE] = "all";
	enum vol_admission verdict;

	if (msg->proto != VOL_LINK_PROTO)
		return refuse(refusal, "version",
			      "another version of the link's protocol is "
			      "spoken here",
			      RETRY_VERSION_MS);
	verdict = vol_admit(&a, refusal);
	if (verdict == VOL_ADMIT_REDEEM) {
		a.token = redeem(d, msg, address, token);
		snprintf(by, sizeof(by), "token %s", token);
		verdict = vol_admit(&a, refusal);
		if (verdict == VOL_ADMIT_REFUSE)
			refusal->logged = true; /* by redeem */
	}
	if (verdict == VOL_ADMIT_APPROVE_TOKEN ||
	    verdict == VOL_ADMIT_APPROVE_ALL)
		return approve(d, key, msg, by, address, refusal);
	/* One from before there were keys shows its own. */
	if (verdict == VOL_ADMIT_IN && key && !*device->fingerprint) {
		vol_fingerprint_text(key, device->fingerprint);
		vol_registry_touch(d->c->registry, device);
		vol_controller_save_soon(d->c);
	}
	if (verdict == VOL_ADMIT_IN)
		vouch_by_token(d, device, msg, address);
	return verdict;
}

/* ---- tokens ---- */

json_t *vol_door_make_token(struct vol_door *d, uint32_t uses, uint64_t ttl_s,
			    uid_t uid, struct vol_error *err)
{
	struct vol_tickets_clock t = now();
	struct vol_jointoken token;
	const struct vol_ticket *ticket;
	char text[VOL_JOINTOKEN_SIZE];
	json_t *data = NULL;

	ticket = vol_tickets_make(d->tickets, uses, ttl_s, uid,
				  vol_controller_key(d->c), &t, vol_sha256,
				  &token, err);
	if (ticket && vol_tickets_save(d->tickets, err) == 0) {
		vol_info("token %s made by uid %u for %u devices, valid for "
			 "%llu s",
			 ticket->id, (unsigned)uid, (unsigned)uses,
			 (unsigned long long)ttl_s);
		data = json_pack("{s:s, s:s, s:i, s:I}", "token",
				 vol_jointoken_text(&token, text), "id",
				 ticket->id, "uses", (int)uses, "expires_s",
				 (json_int_t)ttl_s);
		if (!data)
			vol_errorf_errno(err, ENOMEM, "out of memory");
	}
	explicit_bzero(&token, sizeof(token));
	explicit_bzero(text, sizeof(text));
	arm(d);
	return data;
}

json_t *vol_door_tokens(struct vol_door *d, struct vol_error *err)
{
	struct vol_tickets_clock t = now();
	json_t *list = json_array();

	for (size_t i = 0; i < vol_tickets_count(d->tickets); i++) {
		const struct vol_ticket *k = vol_tickets_at(d->tickets, i);
		uint64_t left_s = vol_ticket_left_s(d->tickets, k, &t);

		json_array_append_new(
			list,
			json_pack("{s:s, s:s, s:i, s:i, s:I, s:I, s:I}", "id",
				  k->id, "state",
				  vol_ticket_state_name(
					  vol_ticket_state(d->tickets, k, &t)),
				  "uses", (int)k->uses, "used", (int)k->used.n,
				  "expires_s", (json_int_t)left_s, "made_at",
				  (json_int_t)k->made, "uid",
				  (json_int_t)k->uid));
	}
	if (!list || json_array_size(list) != vol_tickets_count(d->tickets)) {
		vol_errorf_errno(err, ENOMEM, "out of memory");
		json_decref(list);
		return NULL;
	}
	return json_pack("{s:o}", "tokens", list);
}

int vol_door_revoke_token(struct vol_door *d, const char *id,
			  struct vol_error *err)
{
	if (vol_tickets_revoke(d->tickets, id, err) < 0)
		return -1;
	return vol_tickets_save(d->tickets, err);
}
