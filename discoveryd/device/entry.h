/* SPDX-License-Identifier: GPL-2.0-or-later */
/* entry.h - how this device gets to its controller; inside discoveryd/device
 * only
 *
 * trust.h decides, join.h and pin.h are kept on disk; here they meet the link.
 */
#ifndef VOL_ENTRY_H
#define VOL_ENTRY_H

#include <jansson.h>
#include <sys/types.h>

#include "device/device.h"

/* Read STATE_DIR/join.json; after vol_keys_load. */
int vol_entry_load(struct vol_device_role *d, struct vol_error *err);

/* For vol_uplink_ops; arg: the role. */
bool vol_entry_knocks(const struct vol_fingerprint *key,
		      struct vol_link_msg *knock, void *arg);
int vol_entry_nonce(const struct vol_link_msg *msg, uint64_t now_ms,
		    struct vol_link_msg *reveal, void *arg,
		    struct vol_error *err);
bool vol_entry_pending(const struct vol_link_msg *msg, void *arg);
bool vol_entry_approved(const struct vol_fingerprint *key, void *arg);
void vol_entry_refused(const struct vol_link_msg *msg, void *arg);
void vol_entry_lost(void *arg);

/* Our token, if we have one, into a hello. */
void vol_entry_hello(const struct vol_device_role *d, struct vol_link_msg *msg);

/* We are in: the token has served. */
void vol_entry_welcomed(struct vol_device_role *d);

/* {"type": "join", "with": token or code, "controller": "host[:port]"?} ->
 * {"text": what happens now}.  Obeys root alone, since the controller's
 * configuration is carried out by a slurmd that runs as root. */
json_t *vol_ctl_join(const json_t *request, uid_t uid, void *arg,
		     struct vol_error *err);

/* For status: {"code": "" or six digits, "waits": an administrator must
 * approve, "unbelieved": one did, and the code was not confirmed, "token": one
 * is waiting to be used, "bad_token": the last one was refused, "key": of the
 * controller, "" when none is known} */
json_t *vol_entry_json(const struct vol_device_role *d);

#endif
