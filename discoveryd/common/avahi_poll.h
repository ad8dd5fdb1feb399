/* SPDX-License-Identifier: GPL-2.0-or-later */
/* avahi_poll.h - Avahi's event loop interface on sd-event
 *
 * Keeps the contract of <avahi-common/watch.h>: every callback may update or
 * free any watch or timeout, itself included.
 */
#ifndef VOL_AVAHI_POLL_H
#define VOL_AVAHI_POLL_H

#include <avahi-common/watch.h>
#include <systemd/sd-event.h>

/* NULL with ENOMEM.  Borrowed by the AvahiClients that use it. */
AvahiPoll *vol_avahi_poll_create(sd_event *loop);

/* After all its watches and timeouts were freed.  NULL-safe. */
void vol_avahi_poll_destroy(AvahiPoll *poll);

#endif
