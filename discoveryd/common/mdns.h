/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mdns.h - publish and browse our two service types through avahi-daemon
 *
 * Survives avahi-daemon not being there yet, restarting and renaming us after
 * a collision.  What comes from the network was checked by lib/txt before it
 * reaches a callback; what was refused is logged once per peer and reason.
 */
#ifndef VOL_MDNS_H
#define VOL_MDNS_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-event.h>

#include "error.h"
#include "txt.h"

/* One resolved service.  Borrowed during the callback. */
struct vol_service {
	const char *instance; /* mDNS instance name, printable */
	const char *host;     /* its mDNS host name */
	const char *address;  /* numeric, IPv4 or IPv6 with %scope */
	uint16_t port;
	struct vol_txt txt;
};

/* present = false: the service said goodbye or expired; only instance is set.
 * A service is reported once for each interface and IP version it is seen on,
 * again when its record changes, and gone when the last of them is gone.  The
 * callee must not destroy the vol_mdns. */
typedef void (*vol_service_f)(const struct vol_service *service, bool present,
			      void *arg);

struct vol_mdns;

/* Publish `type` (unless NULL) on port (instance name: host name, made unique
 * by Avahi), and browse for `browse_type` when it is not NULL.  type,
 * browse_type and arg must stay valid. */
struct vol_mdns *vol_mdns_create(sd_event *loop, const char *type,
				 uint16_t port, const struct vol_txt *txt,
				 const char *browse_type, vol_service_f found,
				 void *arg, struct vol_error *err);

/* Change the published TXT record. */
void vol_mdns_update(struct vol_mdns *m, const struct vol_txt *txt);

/* Withdraw and free.  NULL-safe. */
void vol_mdns_destroy(struct vol_mdns *m);

#endif
