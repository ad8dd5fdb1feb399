/* SPDX-License-Identifier: GPL-2.0-or-later */
/* door.h - who is let in by this controller, and why
 *
 * lib/admit.h decides; here its decision meets the registry, the store of
 * tokens (state_dir/tickets.json), the clock and the log.
 */
#ifndef VOL_DOOR_H
#define VOL_DOOR_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#include "admit.h"
#include "link.h"

struct vol_controller;
struct vol_door;

/* Codes that are being agreed on: so many at once, then one more each five
 * seconds.  Each is a chance of one in a million for somebody who sits between
 * a device and us, so 17 000 a day are less than two in a hundred, if an
 * administrator approved all that time.  Of them a network (gate.h) has a
 * quarter, so that nobody takes all from the others; of that many networks it
 * is remembered what they have had. */
#define VOL_DOOR_KNOCKS      256
#define VOL_DOOR_KNOCK_MS    5000
#define VOL_DOOR_KNOCK_SHARE 4
#define VOL_DOOR_NETWORKS    64
/* When a revoked device may try again: when it was approved after all. */
#define VOL_DOOR_REVOKED_MS 600000

/* Read the tokens. */
struct vol_door *vol_door_create(struct vol_controller *c,
				 struct vol_error *err);
void vol_door_destroy(struct vol_door *d);

/* A hello or knock of a peer with this proven key (NULL, without TLS, is
 * refused).
 *  IN      it is approved and has a member; is it not saved yet, the member
 *          waits for that by itself; a token that it shows
 *          vouches for one that approve = all let in
 *  PEND    agree on a code
 *  REFUSE  *refusal says what to tell it; what was wrong with a token is in
 *          the log only */
enum vol_admission vol_door_ask(struct vol_door *d,
				const struct vol_fingerprint *key,
				const struct vol_link_msg *msg,
				const char *address,
				struct vol_refusal *refusal);

/* May one more code be agreed on now, with who is at this address?  Takes it.
 */
bool vol_door_may_knock(struct vol_door *d, const char *address);

/* Tokens to disk, if any changed.  Before the registry: a device that is in it
 * must not have cost nothing. */
int vol_door_save(struct vol_door *d, struct vol_error *err);

/* For the control socket: all return what `volunteer` is told, or NULL and
 * *err. */
json_t *vol_door_make_token(struct vol_door *d, uint32_t uses, uint64_t ttl_s,
			    uid_t uid, struct vol_error *err);
json_t *vol_door_tokens(struct vol_door *d, struct vol_error *err);
int vol_door_revoke_token(struct vol_door *d, const char *id,
			  struct vol_error *err);

#endif
