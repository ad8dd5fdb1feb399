/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mdns_private.h - what mdns.c, publish.c and browse.c share
 *
 * mdns.c owns the Avahi client and its restarts; the two others hold objects
 * of the client that is alive and drop them when it goes.
 */
#ifndef VOL_MDNS_PRIVATE_H
#define VOL_MDNS_PRIVATE_H

#include <avahi-client/client.h>
#include <avahi-client/lookup.h>
#include <avahi-client/publish.h>

#include "backoff.h"
#include "mdns.h"
#include "refusals.h"

struct vol_publish {
	const char *type; /* NULL: nothing to publish */
	uint16_t port;
	struct vol_txt txt;
	char *name; /* Avahi's own malloc */
	AvahiEntryGroup *group;
};

struct vol_browse_entry;

struct vol_browse {
	const char *type; /* NULL: nothing to look for */
	vol_service_f found;
	void *arg;
	AvahiServiceBrowser *browser;
	struct vol_browse_entry *entries;
	size_t n_entries;
	struct vol_refusals refusals;
};

struct vol_mdns {
	sd_event *loop;
	AvahiPoll *poll;
	AvahiClient *client;
	sd_event_source *retry;
	struct vol_backoff backoff;
	bool complained; /* one line until it works again */
	struct vol_publish publish;
	struct vol_browse browse;
};

/* Something in the client's world broke: throw it away and begin again after
 * a while.  why is logged once until things work again. */
void vol_mdns_restart(struct vol_mdns *m, const char *why);

/* The client is up. */
void vol_publish_start(struct vol_mdns *m);
void vol_browse_start(struct vol_mdns *m);

/* Our host name is being contested: withdraw, vol_publish_start follows. */
void vol_publish_pause(struct vol_mdns *m);

/* Drop all objects of the client; it is about to be freed. */
void vol_publish_stop(struct vol_mdns *m);
void vol_browse_stop(struct vol_mdns *m);

/* TXT record as Avahi's list; NULL on ENOMEM. */
AvahiStringList *vol_publish_txt(const struct vol_txt *txt);

#endif
