/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ctl_door.h - what an administrator can have the door do
 *
 * {"type": "token", "uses": 1, "ttl_s": 3600} -> token, id, uses, expires_s
 * {"type": "tokens"} -> tokens: list of id, state, uses, used, expires_s,
 *	made_at, uid
 * {"type": "revoke-token", "id": "0a1b2c3d"} -> id
 * {"type": "pending", "revoked": false} -> pending: list of name, hostname,
 *	address, code ("" when it is not linked), id, standing, last_seen; more:
 *	how many are left out
 * {"type": "approve", "name": code, host's name or id} -> node, id, code (""
 *	when there was none), linked.  Six digits are a code and nothing else,
 *16 or more hex digits the beginning of an id, and other words a name; what
 *	lies between is refused, since names are for strangers to choose
 * {"type": "forget", "name": node, or as with approve} -> id, node: true if it
 *	has one
 * {"type": "rename", "old": "desk1", "new": "desk2"} -> old, new
 */
#ifndef VOL_CTL_DOOR_H
#define VOL_CTL_DOOR_H

#include <jansson.h>
#include <sys/types.h>

#include "error.h"

json_t *vol_ctl_token(const json_t *request, uid_t uid, void *arg,
		      struct vol_error *err);
json_t *vol_ctl_tokens(const json_t *request, uid_t uid, void *arg,
		       struct vol_error *err);
json_t *vol_ctl_revoke_token(const json_t *request, uid_t uid, void *arg,
			     struct vol_error *err);
json_t *vol_ctl_pending(const json_t *request, uid_t uid, void *arg,
			struct vol_error *err);
json_t *vol_ctl_approve(const json_t *request, uid_t uid, void *arg,
			struct vol_error *err);
json_t *vol_ctl_forget(const json_t *request, uid_t uid, void *arg,
		       struct vol_error *err);
json_t *vol_ctl_rename(const json_t *request, uid_t uid, void *arg,
		       struct vol_error *err);

#endif
