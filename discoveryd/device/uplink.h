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

struct vol_uplink;

struct vol_uplink_ops {
	/* Fill the members of hello. */
	void (*hello)(struct vol_link_msg *msg, void *arg);
	/* The link is up: *msg is the welcome; the addresses of both ends. */
	void (*welcomed)(const struct vol_link_msg *msg, const char *peer,
			 const char *local, void *arg);
	/* The link that was up is gone. */
	void (*lost)(const char *reason, void *arg);
	/* A node, reregister or evicted message. */
	void (*message)(const struct vol_link_msg *msg, void *arg);
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

/* find is borrowed until destroy.  Dials at the first vol_uplink_target. */
struct vol_uplink *vol_uplink_create(sd_event *loop, struct vol_find *find,
				     const struct vol_uplink_ops *ops,
				     void *arg, struct vol_error *err);
void vol_uplink_destroy(struct vol_uplink *u);

/* Somebody to dial was found. */
void vol_uplink_target(struct vol_uplink *u);

/* -1 when the link is not up: the next hello tells the whole state anyway. */
int vol_uplink_send(struct vol_uplink *u, const struct vol_link_msg *msg);

/* A local address has gone (address) or come (NULL). */
void vol_uplink_moved(struct vol_uplink *u, const char *address);

/* Say goodbye and stay away. */
void vol_uplink_leave(struct vol_uplink *u, const char *reason);

/* The fence as it stands; not armed before the first welcome in this boot. */
void vol_uplink_fence(const struct vol_uplink *u, struct vol_fence *fence);

void vol_uplink_status(const struct vol_uplink *u,
		       struct vol_uplink_status *status);

#endif
