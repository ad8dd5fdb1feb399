/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tickets.c - the controller's side of join tokens: which are valid, how often
 *
 * A few, in the order in which they were made: an array that is searched from
 * its beginning.  tickets_file.c reads and writes them.
 */
#include "config.h"

#include "tickets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hex.h"
#include "tickets_private.h"

static const char *const state_names[] = {
	[VOL_TICKET_VALID] = "valid",
	[VOL_TICKET_USED_UP] = "used up",
	[VOL_TICKET_EXPIRED] = "expired",
	[VOL_TICKET_REVOKED] = "revoked",
};
static const char *const redeem_names[] = {
	[VOL_REDEEM_OK] = "is valid",
	[VOL_REDEEM_UNKNOWN] = "is not known",
	[VOL_REDEEM_WRONG] = "has another secret",
	[VOL_REDEEM_USED_UP] = "is used up",
	[VOL_REDEEM_EXPIRED] = "has expired",
	[VOL_REDEEM_REVOKED] = "was revoked",
	[VOL_REDEEM_FAILED] = "could not be checked",
};

const char *vol_ticket_state_name(enum vol_ticket_state state)
{
	return state <= VOL_TICKET_REVOKED ? state_names[state] : "unknown";
}

const char *vol_redeem_name(enum vol_redeem redeem)
{
	return redeem <= VOL_REDEEM_FAILED ? redeem_names[redeem] : "unknown";
}

/* The time by which tickets expire: never earlier than it was. */
static time_t advance(struct vol_tickets *t,
		      const struct vol_tickets_clock *now)
{
	time_t time = t->clock;

	if (t->ticking && now->boot_s > t->boot_s)
		time += (time_t)(now->boot_s - t->boot_s);
	/* With nothing that could revive, a clock that was once set far ahead
	 * is forgotten. */
	if (now->wall > time || t->n == 0)
		time = now->wall;
	/* Beyond what the file can hold: then all has expired anyway. */
	t->clock = time < SECONDS_MAX ? time : SECONDS_MAX;
	if (t->clock < 0)
		t->clock = 0;
	t->boot_s = now->boot_s;
	t->ticking = true;
	return t->clock;
}

static enum vol_ticket_state state_at(const struct vol_ticket *k, time_t time)
{
	if (k->revoked)
		return VOL_TICKET_REVOKED;
	if (time >= k->expires)
		return VOL_TICKET_EXPIRED;
	return k->used.n >= k->uses ? VOL_TICKET_USED_UP : VOL_TICKET_VALID;
}

static struct vol_ticket *find(struct vol_tickets *t, const char *id)
{
	for (size_t i = 0; id && i < t->n; i++)
		if (strcmp(t->ticket[i].id, id) == 0)
			return &t->ticket[i];
	return NULL;
}

static void drop(struct vol_tickets *t, size_t i)
{
	free(t->ticket[i].used.id);
	t->n--;
	memmove(&t->ticket[i], &t->ticket[i + 1],
		(t->n - i) * sizeof(t->ticket[0]));
	t->dirty = true;
}

static int make_room(struct vol_tickets *t, time_t time, struct vol_error *err)
{
	for (size_t i = 0; t->n >= VOL_TICKETS_MAX && i < t->n; i++) {
		if (state_at(&t->ticket[i], time) == VOL_TICKET_VALID)
			continue;
		drop(t, i);
		return 0;
	}
	if (t->n < VOL_TICKETS_MAX)
		return 0;
	return vol_errorf_errno(err, ENOSPC,
				"%d tokens are valid already: revoke some",
				VOL_TICKETS_MAX);
}

static int check_spec(uint32_t uses, uint64_t ttl_s, struct vol_error *err)
{
	if (uses < 1 || uses > VOL_TICKET_USES)
		return vol_errorf_errno(err, ERANGE,
					"uses: a token is for 1 to %d devices",
					VOL_TICKET_USES);
	if (ttl_s < VOL_TICKET_TTL_MIN_S || ttl_s > VOL_TICKET_TTL_MAX_S)
		return vol_errorf_errno(err, ERANGE,
					"ttl: a token is valid for %d s to "
					"%d days",
					VOL_TICKET_TTL_MIN_S,
					VOL_TICKET_TTL_MAX_S / (24 * 3600));
	return 0;
}

/* An id that no other one has, and a secret. */
static int draw(struct vol_tickets *t, struct vol_jointoken *token,
		char id[VOL_TICKET_ID_SIZE], struct vol_error *err)
{
	do {
		if (vol_random(token->id, sizeof(token->id)) < 0 ||
		    vol_random(token->secret, sizeof(token->secret)) < 0)
			return vol_errorf(err, "no random numbers: %s",
					  strerror(errno));
		vol_hex_encode(token->id, sizeof(token->id), id);
	} while (find(t, id));
	return 0;
}

const struct vol_ticket *vol_tickets_make(
	struct vol_tickets *t, uint32_t uses, uint64_t ttl_s, uint32_t uid,
	const struct vol_fingerprint *controller,
	const struct vol_tickets_clock *now, vol_sha256_f sha256,
	struct vol_jointoken *token, struct vol_error *err)
{
	struct vol_ticket k = {.uses = uses, .uid = uid};
	uint8_t digest[VOL_SHA256_BYTES];
	time_t time = advance(t, now);

	if (check_spec(uses, ttl_s, err) < 0 || make_room(t, time, err) < 0 ||
	    draw(t, token, k.id, err) < 0 ||
	    sha256(token->secret, sizeof(token->secret), digest, err) < 0)
		return NULL;
	memcpy(token->controller, controller->byte, sizeof(token->controller));
	vol_hex_encode(digest, sizeof(digest), k.digest);
	k.made = time;
	k.expires = time + (time_t)ttl_s;
	if (k.expires > SECONDS_MAX) {
		vol_errorf_errno(err, ERANGE, "the clock is set wrongly");
		return NULL;
	}
	if (vol_tickets_append(t, &k) < 0) {
		vol_errorf_errno(err, ENOMEM, "out of memory");
		return NULL;
	}
	t->dirty = true;
	return &t->ticket[t->n - 1];
}

static bool has_used(const struct vol_ticket *k, const char *device)
{
	for (size_t i = 0; i < k->used.n; i++)
		if (strcmp(k->used.id[i], device) == 0)
			return true;
	return false;
}

static enum vol_redeem take_use(struct vol_tickets *t, struct vol_ticket *k,
				const char *device)
{
	char(*grown)[VOL_DEVICE_ID_SIZE];

	grown = reallocarray(k->used.id, k->used.n + 1, sizeof(*grown));
	if (!grown)
		return VOL_REDEEM_FAILED;
	k->used.id = grown;
	memcpy(grown[k->used.n++], device, VOL_DEVICE_ID_SIZE);
	t->dirty = true;
	return VOL_REDEEM_OK;
}

enum vol_redeem vol_tickets_redeem(struct vol_tickets *t,
				   const uint8_t id[VOL_JOINTOKEN_ID],
				   const uint8_t secret[VOL_JOINTOKEN_SECRET],
				   const char *device,
				   const struct vol_tickets_clock *now,
				   vol_sha256_f sha256)
{
	/* No secret has this digest: an unknown id takes as long as a known. */
	uint8_t kept[VOL_SHA256_BYTES] = {0}, got[VOL_SHA256_BYTES];
	char text[VOL_TICKET_ID_SIZE];
	time_t time = advance(t, now);
	struct vol_ticket *k;
	bool equal;

	vol_hex_encode(id, VOL_JOINTOKEN_ID, text);
	k = find(t, text);
	if (!vol_device_id_valid(device) ||
	    sha256(secret, VOL_JOINTOKEN_SECRET, got, NULL) < 0)
		return VOL_REDEEM_FAILED;
	if (k)
		vol_hex_decode(k->digest, kept, sizeof(kept));
	equal = vol_equal_secret(kept, got, sizeof(kept));
	if (!k)
		return VOL_REDEEM_UNKNOWN;
	if (!equal)
		return VOL_REDEEM_WRONG;
	switch (state_at(k, time)) {
	case VOL_TICKET_REVOKED:
		return VOL_REDEEM_REVOKED;
	case VOL_TICKET_EXPIRED:
		return VOL_REDEEM_EXPIRED;
	case VOL_TICKET_USED_UP:
		return has_used(k, device) ? VOL_REDEEM_OK : VOL_REDEEM_USED_UP;
	case VOL_TICKET_VALID:
		break;
	}
	return has_used(k, device) ? VOL_REDEEM_OK : take_use(t, k, device);
}

int vol_tickets_revoke(struct vol_tickets *t, const char *id,
		       struct vol_error *err)
{
	struct vol_ticket *k = find(t, id);

	if (!k)
		return vol_errorf_errno(err, ENOENT, "no such token");
	if (!k->revoked)
		t->dirty = true;
	k->revoked = true;
	return 0;
}

void vol_tickets_prune(struct vol_tickets *t,
		       const struct vol_tickets_clock *now)
{
	time_t time = advance(t, now);

	for (size_t i = t->n; i-- > 0;) {
		struct vol_ticket *k = &t->ticket[i];

		/* The file does not know yet that this one is over. */
		if (k->expires <= time && k->expires > t->saved_clock)
			t->dirty = true;
		if (time - VOL_TICKET_KEEP_S >= k->expires)
			drop(t, i);
	}
}

uint64_t vol_tickets_next_s(struct vol_tickets *t,
			    const struct vol_tickets_clock *now)
{
	time_t time = advance(t, now);
	uint64_t next = UINT64_MAX;

	for (size_t i = 0; i < t->n; i++) {
		const struct vol_ticket *k = &t->ticket[i];

		if (k->expires > time && (uint64_t)(k->expires - time) < next)
			next = (uint64_t)(k->expires - time);
	}
	return next;
}

size_t vol_tickets_count(const struct vol_tickets *t)
{
	return t->n;
}

const struct vol_ticket *vol_tickets_at(const struct vol_tickets *t, size_t i)
{
	return i < t->n ? &t->ticket[i] : NULL;
}

enum vol_ticket_state vol_ticket_state(struct vol_tickets *t,
				       const struct vol_ticket *ticket,
				       const struct vol_tickets_clock *now)
{
	return state_at(ticket, advance(t, now));
}

uint64_t vol_ticket_left_s(struct vol_tickets *t,
			   const struct vol_ticket *ticket,
			   const struct vol_tickets_clock *now)
{
	time_t time = advance(t, now);

	return ticket->expires > time ? (uint64_t)(ticket->expires - time) : 0;
}
