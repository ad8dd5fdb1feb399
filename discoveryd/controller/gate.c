/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gate.c - how many links may be on their way in at once, and whose; pure
 *
 * Groups are looked at one by one: there are never more than places, and in
 * the honest case a handful.
 */
#include "config.h"

#include "gate.h"

#include <arpa/inet.h>
#include <string.h>

void vol_gate_network(const char *address, struct vol_gate_network *net)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr a6;
	struct in_addr a4;
	size_t len = strcspn(address, "%");

	memset(net, 0, sizeof(*net));
	if (len >= sizeof(text))
		return;
	memcpy(text, address, len);
	text[len] = '\0';
	if (inet_pton(AF_INET, text, &a4) == 1) {
		/* In no IPv6 network: ::/8 is reserved. */
		memcpy(net->bytes + 4, &a4, sizeof(a4));
		net->bytes[1] = 4;
	} else if (inet_pton(AF_INET6, text, &a6) == 1) {
		memcpy(net->bytes, &a6, sizeof(net->bytes));
	}
}

/* The group of the network, or one that is free; there is one when a place is.
 */
static struct vol_gate_group *group_of(struct vol_gate *g,
				       const struct vol_gate_network *net)
{
	struct vol_gate_group *empty = NULL;
	size_t i, seen = 0;

	for (i = 0; i < VOL_GATE_PLACES && (seen < g->n || !empty); i++) {
		struct vol_gate_group *at = &g->groups[i];

		seen += at->n;
		if (!at->n) {
			if (!empty)
				empty = at;
		} else if (memcmp(&at->network, net, sizeof(*net)) == 0) {
			return at;
		}
	}
	return empty;
}

/* The longest of the network with the most places; of several such networks
 * the longest of all. */
static struct vol_gate_place *longest(const struct vol_gate *g)
{
	const struct vol_gate_group *most = NULL;
	size_t i, seen = 0;

	for (i = 0; i < VOL_GATE_PLACES && seen < g->n; i++) {
		const struct vol_gate_group *at = &g->groups[i];

		seen += at->n;
		if (!at->n)
			continue;
		if (!most || at->n > most->n ||
		    (at->n == most->n &&
		     at->oldest->since_ms < most->oldest->since_ms))
			most = at;
	}
	return most ? most->oldest : NULL;
}

uint64_t vol_gate_wait_ms(const struct vol_gate *g, uint64_t now_ms)
{
	uint64_t until;

	if (g->n < VOL_GATE_PLACES)
		return 0;
	until = longest(g)->since_ms + VOL_GATE_PATIENCE_MS;
	return until > now_ms ? until - now_ms : 0;
}

struct vol_gate_place *vol_gate_enter(struct vol_gate *g,
				      struct vol_gate_place *place,
				      const struct vol_gate_network *net,
				      uint64_t now_ms)
{
	struct vol_gate_place *leaver = NULL;
	struct vol_gate_group *group;

	if (g->n >= VOL_GATE_PLACES) {
		leaver = longest(g);
		vol_gate_leave(g, leaver);
	}
	group = group_of(g, net);
	if (!group->n)
		group->network = *net;
	place->group = group;
	place->since_ms = now_ms;
	place->older = group->newest;
	place->newer = NULL;
	if (group->newest)
		group->newest->newer = place;
	else
		group->oldest = place;
	group->newest = place;
	group->n++;
	g->n++;
	return leaver;
}

void vol_gate_leave(struct vol_gate *g, struct vol_gate_place *place)
{
	struct vol_gate_group *group = place->group;

	if (!group)
		return;
	if (place->older)
		place->older->newer = place->newer;
	else
		group->oldest = place->newer;
	if (place->newer)
		place->newer->older = place->older;
	else
		group->newest = place->older;
	memset(place, 0, sizeof(*place));
	group->n--;
	g->n--;
}
