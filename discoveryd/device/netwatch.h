/* SPDX-License-Identifier: GPL-2.0-or-later */
/* netwatch.h - hear of local addresses that come and go (rtnetlink) */
#ifndef VOL_NETWATCH_H
#define VOL_NETWATCH_H

#include <stdbool.h>
#include <systemd/sd-event.h>

#include "error.h"

struct vol_netwatch;

/* address is numeric; present tells whether it came or went.  NULL when events
 * were lost and anything may have happened. */
typedef void (*vol_netwatch_f)(const char *address, bool present, void *arg);

struct vol_netwatch *vol_netwatch_create(sd_event *loop, vol_netwatch_f changed,
					 void *arg, struct vol_error *err);
void vol_netwatch_destroy(struct vol_netwatch *n);

#endif
