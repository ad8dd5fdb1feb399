/* SPDX-License-Identifier: GPL-2.0-or-later */
/* uplink.h - the one outbound link to the controller */
#ifndef VOL_UPLINK_H
#define VOL_UPLINK_H

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "device/find.h"
#include "device/uplink_fsm.h"
#include "error.h"
#include "link.h"
#include "tls.h"

struct vol_uplink;

struct vol_uplink_ops {
	/* The handshake is done: must the holder of key hear a knock, which is
	 * filled, and no hello? */
	bool (*knocks)(const struct vol_fingerprint *key,
		       struct vol_link_msg *knock, void *arg);
	/* Its number has come: fill the answer.  -1 ends the link. */
	int (*nonce)(const struct vol_link_msg *msg, uint64_t now_ms,
		     struct vol_link_msg *reveal, void *arg,
		     struct vol_error *err);
	/* We wait for its administrator; false: with no code to compare, which
	 * ends the link. */
	bool (*pending)(const struct vol_link_msg *msg, void *arg);
	/* The holder of key approves of us: may it hear our hello? */
	bool (*approved)(const struct vol_fingerprint *key, void *arg);
	/* It will not have us. */
	void (*refused)(const struct vol_link_msg *msg, void *arg);
	/* The connection is gone, whatever it had come to. */
	void (*unlinked)(void *arg);
	/* Fill the members of hello. */
	void (*hello)(struct vol_link_msg *msg, void *arg);
	/* The link is up: *msg is the welcome; the addresses of both ends, and
	 * the key of the controller. */
	void (*welcomed)(const struct vol_link_msg *msg, const char *peer,
			 const char *local, const struct vol_fingerprint *key,
			 void *arg);
	/* The link that was up is gone. */
	void (*lost)(const char *reason, void *arg);
	/* Any other message, while the link is up. */
	void (*message)(const struct vol_link_msg *msg, void *arg);
	/* Somebody was there who holds this key and not the one we insist on;
	 * he got nothing.  Called when that is logged, not at each try. */
	void (*stranger)(const struct vol_fingerprint *key, void *arg);
};

/* What `status` tells. */
struct vol_uplink_status {
	enum vol_uplink_state state;
	uint64_t for_ms; /* how long in this state */
	char peer[VOL_ADDRESS_SIZE + 20];
	uint16_t port;
	char local[VOL_ADDRESS_SIZE + 20]; /* "" unless up */
	char cluster[VOL_NODE_NAME_SIZE];  /* of the last welcome */
	struct vol_error trouble; /* why the last try failed, "" when up */
};

/* find and tls are borrowed until destroy.  Dials at the first
 * vol_uplink_target. */
struct vol_uplink *vol_uplink_create(sd_event *loop, struct vol_find *find,
				     struct vol_tls_context *tls,
				     const struct vol_uplink_ops *ops,
				     void *arg, struct vol_error *err);
void vol_uplink_destroy(struct vol_uplink *u);

/* From the next dial on, speak to nobody but the holder of this key.  At first,
 * and with a pin of no bytes, anybody will do. */
void vol_uplink_pin(struct vol_uplink *u, const struct vol_tls_pin *pin);

/* Dial again now. */
void vol_uplink_again(struct vol_uplink *u);

/* Somebody to dial was found. */
void vol_uplink_target(struct vol_uplink *u);

/* -1 when the link is not up: the next hello tells the whole state anyway. */
int vol_uplink_send(struct vol_uplink *u, const struct vol_link_msg *msg);

/* A local address has gone (address) or come (NULL). */
void vol_uplink_moved(struct vol_uplink *u, const char *address);

/* Hang up and say hello anew. */
void vol_uplink_redial(struct vol_uplink *u, const char *reason);

/* Say goodbye and stay away. */
void vol_uplink_leave(struct vol_uplink *u, const char *reason);

/* The fence as it stands; not armed before the first welcome in this boot. */
void vol_uplink_fence(const struct vol_uplink *u, struct vol_fence *fence);

void vol_uplink_status(const struct vol_uplink *u,
		       struct vol_uplink_status *status);

#endif
