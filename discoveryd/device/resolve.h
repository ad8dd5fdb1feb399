/* SPDX-License-Identifier: GPL-2.0-or-later */
/* resolve.h - host name to addresses without blocking the loop
 *
 * getaddrinfo blocks for as long as a DNS server is silent, so a forked child
 * asks and writes the answer into a pipe.
 */
#ifndef VOL_RESOLVE_H
#define VOL_RESOLVE_H

#include <stddef.h>
#include <systemd/sd-event.h>

#include "error.h"
#include "registry.h"

#define VOL_RESOLVE_MAX 8
#define VOL_RESOLVE_MS  10000

struct vol_resolve;

/* addresses: n numeric ones in the resolver's order, or n = 0 and the reason.
 * Called once, from the loop. */
typedef void (*vol_resolve_f)(char (*addresses)[VOL_ADDRESS_SIZE], size_t n,
			      const char *reason, void *arg);

struct vol_resolve *vol_resolve_start(sd_event *loop, const char *host,
				      vol_resolve_f done, void *arg,
				      struct vol_error *err);

/* Give up or clean up; NULL-safe, legal inside the callback. */
void vol_resolve_destroy(struct vol_resolve *r);

#endif
