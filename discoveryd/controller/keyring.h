/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keyring.h - the cluster's Slurm key: who gets it, and how it is replaced
 *
 * lib/rotation.h decides; here its decisions meet devices, slurmctld and the
 * disk.  Files, all below STATE_DIR/keys (mode 0700):
 *   rotation.json  how far a rotation has come (rotation_file.h)
 *   next.key       the new key, from CLOSE to the end
 *   install.key    the same; slurm-volunteer-auth-key(8), which is root, puts
 *                  it where munged reads it, restarts munged and removes this;
 *                  install-NAME.key with cluster = NAME
 */
#ifndef VOL_KEYRING_H
#define VOL_KEYRING_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#include "error.h"
#include "link.h"
#include "rotation.h"

struct vol_controller;
struct vol_keyring;
struct vol_member;

/* So long for devices to store the new key, and to take it. */
#ifndef VOL_KEYRING_PREPARE_MS /* tests have less patience */
#define VOL_KEYRING_PREPARE_MS 15000
#define VOL_KEYRING_TURN_MS    15000
/* For closing the partitions, and then for launches that are under way. */
#define VOL_KEYRING_CLOSE_MS  15000
#define VOL_KEYRING_SETTLE_MS 2000
/* Between tries to open them, and to have the key put in its place. */
#define VOL_KEYRING_RETRY_MS 1000
#endif

/* What the keyring knows of a member, for the time of its link. */
struct vol_member_auth {
	char has[VOL_AUTHKEY_ID_SIZE];  /* in use there */
	char next[VOL_AUTHKEY_ID_SIZE]; /* beside it */
	/* Not answered yet: what, and for which key. */
	enum vol_rotation_send sent;
	char sent_id[VOL_AUTHKEY_ID_SIZE];
	bool failed;   /* it did not take it */
	char *trouble; /* why, for people; owned, may be NULL */
};

/* Read key and files.  A key that can not be read is not handed out, which is
 * said in the log; so is a rotation that was under way, and goes on. */
struct vol_keyring *vol_keyring_create(struct vol_controller *c,
				       struct vol_error *err);
void vol_keyring_destroy(struct vol_keyring *k);

/* A device has linked (hello) and is being welcomed: *welcome learns whether a
 * key follows; then send it. */
void vol_keyring_met(struct vol_member *s, const struct vol_link_msg *hello);
void vol_keyring_welcome(struct vol_member *s, struct vol_link_msg *welcome);
void vol_keyring_welcomed(struct vol_member *s);
/* keyed of a device. */
void vol_keyring_message(struct vol_member *s, const struct vol_link_msg *msg);
/* Its link is gone. */
void vol_keyring_parted(struct vol_member *s);
/* It was revoked.  A rotation whose key it has been sent is worth nothing: it
 * is given up, or must be done again, which is said in the log. */
void vol_keyring_revoked(struct vol_member *s);

/* For the control socket: begin; others: although there are nodes that get no
 * key from here.  EBUSY, EINVAL, EPERM. */
int vol_keyring_rotate(struct vol_keyring *k, bool others, uid_t uid,
		       struct vol_error *err);
/* Give it up, if that is still possible: else EALREADY; ENOENT. */
int vol_keyring_stop(struct vol_keyring *k, struct vol_error *err);

/* {"phase":, "id": of the key now, "next": "", "serial": how many were begun
 * since the start, "have":, "of": approved devices, "left": [{"node":,
 * "why":}], "closed_ms":, "apart_ms": of the last one that was done, "result":
 * "" | "done" | "undone", "trouble":} */
json_t *vol_keyring_json(const struct vol_keyring *k, struct vol_error *err);

#endif
