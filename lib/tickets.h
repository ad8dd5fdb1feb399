/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tickets.h - the controller's side of join tokens: which are valid, how often
 *
 * Of a token's secret only the SHA-256 is kept, so that who reads the file can
 * not join.  Each ticket knows the devices that used it: one that redeems it
 * again (the controller was killed between writing this file and writing the
 * registry) takes no second use.
 *
 * File: {"version": 1, "clock": unix seconds, "tickets": [{"id": "8 hex",
 *	"digest": "64 hex", "uses": 1..1000, "made": s, "expires": s,
 *	"uid": who asked for it, "revoked": bool, "used": ["32 hex", ...]}]}
 * replaced atomically, mode 0600.
 *
 * Time never goes back here, or a token that has expired would be valid again
 * when somebody sets the clock: "clock" is the latest time seen when the file
 * was written, and while this process lives time goes on at the pace of a clock
 * that nobody can set.  (Time in which no process lives is known from the wall
 * clock only.)  The caller sees to it that an expiry reaches the disk
 * (vol_tickets_next_s, vol_tickets_prune, vol_tickets_save).
 */
#ifndef VOL_TICKETS_H
#define VOL_TICKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "error.h"
#include "fingerprint.h"
#include "jointoken.h"
#include "names.h"
#include "sha256.h"

/* Valid and ended ones together: more is a script gone wild. */
#define VOL_TICKETS_MAX      256
#define VOL_TICKET_USES      1000
#define VOL_TICKET_TTL_MIN_S 60
#define VOL_TICKET_TTL_MAX_S (30 * 24 * 3600)
/* Ended ones stay that long, so that the log can tell how they ended. */
#define VOL_TICKET_KEEP_S (7 * 24 * 3600)

#define VOL_TICKET_ID_SIZE (2 * VOL_JOINTOKEN_ID + 1)

struct vol_tickets_clock {
	time_t wall;
	uint64_t boot_s; /* CLOCK_BOOTTIME: counts on, also in suspend */
};

enum vol_ticket_state {
	VOL_TICKET_VALID,
	VOL_TICKET_USED_UP,
	VOL_TICKET_EXPIRED,
	VOL_TICKET_REVOKED,
};

struct vol_ticket_users {
	char (*id)[VOL_DEVICE_ID_SIZE]; /* owned */
	size_t n;
};

struct vol_ticket {
	char id[VOL_TICKET_ID_SIZE];
	char digest[2 * VOL_SHA256_BYTES + 1];
	uint32_t uses;        /* in all */
	time_t made, expires; /* on the clock of this store, see above */
	uint32_t uid;
	bool revoked;
	struct vol_ticket_users used;
};

enum vol_redeem {
	VOL_REDEEM_OK,
	VOL_REDEEM_UNKNOWN, /* no token has this id */
	VOL_REDEEM_WRONG,   /* its secret is another one */
	VOL_REDEEM_USED_UP,
	VOL_REDEEM_EXPIRED,
	VOL_REDEEM_REVOKED,
	VOL_REDEEM_FAILED, /* no memory, no digest: say "later" */
};

struct vol_tickets;

/* As vol_registry_load: a missing file is an empty store, a damaged one is an
 * error that names the place. */
struct vol_tickets *vol_tickets_load(const char *path, struct vol_error *err);
/* As vol_registry_parse and vol_registry_text. */
struct vol_tickets *vol_tickets_parse(const char *path, const char *text,
				      size_t len, struct vol_error *err);
char *vol_tickets_text(const struct vol_tickets *t, size_t *len,
		       struct vol_error *err);
void vol_tickets_destroy(struct vol_tickets *t);

/* Write to disk if anything changed since the last save; as
 * vol_registry_save. */
int vol_tickets_save(struct vol_tickets *t, struct vol_error *err);

/* A new token of the controller with this key, for uses devices and ttl_s
 * seconds, asked for by uid.  Hand *token out after vol_tickets_save, and wipe
 * it.  EINVAL, ERANGE, or ENOSPC when VOL_TICKETS_MAX are valid.  The ticket is
 * borrowed until the next call that changes the store. */
const struct vol_ticket *vol_tickets_make(
	struct vol_tickets *t, uint32_t uses, uint64_t ttl_s, uint32_t uid,
	const struct vol_fingerprint *controller,
	const struct vol_tickets_clock *now, vol_sha256_f sha256,
	struct vol_jointoken *token, struct vol_error *err);

/* May this device join by this token?  OK takes one use (none when it had one
 * before), in memory: the device must not be let in before vol_tickets_save
 * has written that.  All other results look alike to the peer; which it was is
 * for the log (vol_redeem_name).  The secrets are compared in constant time,
 * and the state of a token is told to those only who know its secret. */
enum vol_redeem vol_tickets_redeem(struct vol_tickets *t,
				   const uint8_t id[VOL_JOINTOKEN_ID],
				   const uint8_t secret[VOL_JOINTOKEN_SECRET],
				   const char *device,
				   const struct vol_tickets_clock *now,
				   vol_sha256_f sha256);

/* ENOENT for an id that is not known. */
int vol_tickets_revoke(struct vol_tickets *t, const char *id,
		       struct vol_error *err);

/* Note how late it is, and drop what ended long ago. */
void vol_tickets_prune(struct vol_tickets *t,
		       const struct vol_tickets_clock *now);

/* Seconds until the next valid ticket expires, UINT64_MAX without one: prune
 * and save then. */
uint64_t vol_tickets_next_s(struct vol_tickets *t,
			    const struct vol_tickets_clock *now);

size_t vol_tickets_count(const struct vol_tickets *t);
/* i-th, the oldest first; NULL past the end. */
const struct vol_ticket *vol_tickets_at(const struct vol_tickets *t, size_t i);

enum vol_ticket_state vol_ticket_state(struct vol_tickets *t,
				       const struct vol_ticket *ticket,
				       const struct vol_tickets_clock *now);
/* Seconds until it expires, 0 when it has. */
uint64_t vol_ticket_left_s(struct vol_tickets *t,
			   const struct vol_ticket *ticket,
			   const struct vol_tickets_clock *now);

const char *vol_ticket_state_name(enum vol_ticket_state state);
/* For people: "has expired". */
const char *vol_redeem_name(enum vol_redeem redeem);

#endif
