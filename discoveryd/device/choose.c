/* SPDX-License-Identifier: GPL-2.0-or-later */
/* choose.c - which controller to try next */
#include "config.h"

#include "device/choose.h"

#include <stdio.h>
#include <string.h>

static bool have_conf(const struct vol_choose *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->candidate[i].source == VOL_SOURCE_CONF)
			return true;
	return false;
}

bool vol_choose_accepts(const struct vol_choose *c, enum vol_source source,
			const char *cluster)
{
	if (c->wanted[0])
		return !strcmp(cluster, c->wanted);
	if (source == VOL_SOURCE_CONF || !c->known[0])
		return true;
	return !strcmp(cluster, c->known);
}

bool vol_choose_allows(const struct vol_choose *c,
		       const struct vol_candidate *candidate)
{
	if (candidate->source == VOL_SOURCE_CONF)
		return true;
	if (have_conf(c))
		return false;
	return !candidate->cluster[0] ||
	       vol_choose_accepts(c, candidate->source, candidate->cluster);
}

/* Whose place may a new one take in a full table?  A cluster that is not ours,
 * else an mDNS candidate that had its try: a flood of forged records must not
 * keep the true one out. */
static struct vol_candidate *victim(struct vol_choose *c)
{
	struct vol_candidate *found = NULL;

	for (size_t i = 0; i < c->n; i++) {
		struct vol_candidate *one = &c->candidate[i];

		if (one->source != VOL_SOURCE_MDNS)
			continue;
		if (!vol_choose_allows(c, one))
			return one;
		if (one->tried && (!found || one->tried < found->tried))
			found = one;
	}
	return found;
}

bool vol_choose_add(struct vol_choose *c, const struct vol_candidate *fresh)
{
	struct vol_candidate *place;

	if (fresh->source == VOL_SOURCE_MDNS &&
	    (fresh->port == 0 || strchr(fresh->address, ':')))
		return false;
	for (size_t i = 0; i < c->n; i++) {
		struct vol_candidate *old = &c->candidate[i];
		bool same_cluster = !strcmp(old->cluster, fresh->cluster);

		if (old->source != fresh->source || old->port != fresh->port ||
		    strcmp(old->address, fresh->address))
			continue;
		snprintf(old->cluster, sizeof(old->cluster), "%s",
			 fresh->cluster);
		snprintf(old->instance, sizeof(old->instance), "%s",
			 fresh->instance);
		return !same_cluster;
	}
	place = c->n < VOL_CANDIDATES ? &c->candidate[c->n++] : victim(c);
	if (!place)
		return false;
	*place = *fresh;
	place->tried = 0;
	return true;
}

void vol_choose_remove(struct vol_choose *c, enum vol_source source,
		       const char *instance)
{
	size_t kept = 0;

	for (size_t i = 0; i < c->n; i++) {
		const struct vol_candidate *old = &c->candidate[i];

		if (old->source == source &&
		    (!instance || !strcmp(old->instance, instance)))
			continue;
		c->candidate[kept++] = *old;
	}
	c->n = kept;
}

/* A controller on this very machine; others must be able to reach us too. */
static bool is_loopback(const struct vol_candidate *c)
{
	return !strncmp(c->address, "127.", 4);
}

static bool before(const struct vol_candidate *a, const struct vol_candidate *b)
{
	if (a->tried != b->tried)
		return a->tried < b->tried;
	if (a->source != b->source)
		return a->source < b->source;
	return !is_loopback(a) && is_loopback(b);
}

const struct vol_candidate *vol_choose_next(struct vol_choose *c)
{
	struct vol_candidate *best = NULL;

	for (size_t i = 0; i < c->n; i++) {
		struct vol_candidate *one = &c->candidate[i];

		if (vol_choose_allows(c, one) && (!best || before(one, best)))
			best = one;
	}
	if (best)
		best->tried = ++c->turn;
	return best;
}

size_t vol_choose_count(const struct vol_choose *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++)
		n += vol_choose_allows(c, &c->candidate[i]);
	return n;
}
