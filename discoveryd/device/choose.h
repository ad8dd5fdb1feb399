/* SPDX-License-Identifier: GPL-2.0-or-later */
/* choose.h - which controller to try next; pure
 *
 * Three sources: the configured controller (then nothing else counts), the one
 * that welcomed us last, and what mDNS says.  Without `cluster` in device.conf
 * a device stays with the cluster it knows: another one on the LAN must be
 * named by the owner to win it.  IPv4 only from mDNS, since that is what
 * slurmd speaks by default.
 */
#ifndef VOL_CHOOSE_H
#define VOL_CHOOSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "names.h"
#include "registry.h"

/* Addresses kept; a LAN has a handful. */
#define VOL_CANDIDATES    32
#define VOL_INSTANCE_SIZE 64

enum vol_source { VOL_SOURCE_CONF, VOL_SOURCE_REMEMBERED, VOL_SOURCE_MDNS };

struct vol_candidate {
	enum vol_source source;
	char address[VOL_ADDRESS_SIZE];
	uint16_t port;
	char cluster[VOL_NODE_NAME_SIZE]; /* "" = not known */
	char instance[VOL_INSTANCE_SIZE]; /* of mDNS, to forget it by */
	uint64_t tried;                   /* turn of the last try, 0 = never */
};

struct vol_choose {
	char wanted[VOL_NODE_NAME_SIZE]; /* cluster of device.conf or "" */
	char known[VOL_NODE_NAME_SIZE];  /* cluster that welcomed us or "" */
	struct vol_candidate candidate[VOL_CANDIDATES];
	size_t n;
	uint64_t turn;
};

/* Add or renew.  False when it was there already, the table is full of better
 * ones or the candidate is not for us (mDNS: IPv6, port 0). */
bool vol_choose_add(struct vol_choose *c, const struct vol_candidate *fresh);

/* mDNS says goodbye; or forget a whole source (instance NULL). */
void vol_choose_remove(struct vol_choose *c, enum vol_source source,
		       const char *instance);

/* The candidate whose turn it is, or NULL.  Never tried ones go first, then
 * the one tried longest ago; configured before remembered before mDNS.  Marks
 * it as tried. */
const struct vol_candidate *vol_choose_next(struct vol_choose *c);

/* How many could be tried? */
size_t vol_choose_count(const struct vol_choose *c);

/* Is a candidate's cluster one we may join? */
bool vol_choose_allows(const struct vol_choose *c,
		       const struct vol_candidate *candidate);

/* May we join the cluster that welcomed us at a candidate of this source?  A
 * configured address is the owner's word, unless cluster says otherwise. */
bool vol_choose_accepts(const struct vol_choose *c, enum vol_source source,
			const char *cluster);

#endif
