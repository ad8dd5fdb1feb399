/* SPDX-License-Identifier: GPL-2.0-or-later */
/* candidates.c - which candidates of a job are dropped, and the order of the
 * others; no Slurm header
 */
#include "config.h"

#include "candidates.h"

#include <stdlib.h>
#include <string.h>

int vol_candidates_begin(struct vol_candidates *c, size_t room)
{
	struct vol_candidate *list;

	if (room > c->room) {
		list = realloc(c->list, room * sizeof(*list));
		if (!list)
			return -1;
		c->list = list;
		c->room = room;
	}
	c->n = c->devices = c->unfit = c->dropped = c->held = 0;
	c->ordered = false;
	return 0;
}

void vol_candidates_free(struct vol_candidates *c)
{
	free(c->list);
	*c = (struct vol_candidates){0};
}

void vol_candidates_fit(struct vol_candidates *c, const struct vol_devices *d,
			const struct vol_imagetable_need *need)
{
	size_t kept = 0;

	/* In their order, those that fit first. */
	for (size_t i = 0; i < c->n; i++) {
		struct vol_candidate a = c->list[i];

		if (a.slot != VOL_NO_DEVICE &&
		    !vol_devices_fits(d, need, a.slot)) {
			c->unfit++;
			continue;
		}
		c->list[i] = c->list[kept];
		c->list[kept++] = a;
	}
	c->n = kept;
	c->devices -= c->unfit;
}

static void drop(struct vol_candidates *c, struct vol_candidate *a, bool held)
{
	a->dropped = true;
	a->held = held;
	c->dropped++;
	c->held += held;
}

/* Best and worst cost among those that may be taken. */
static void appraise(struct vol_candidates *c, struct vol_devices *d,
		     struct vol_kind *kind, uint32_t waited_s, uint32_t *best,
		     uint32_t *worst)
{
	const struct vol_score_plan *plan = vol_kind_plan(kind);
	const struct vol_nodeview *view = vol_devices_view(d);
	const uint8_t *states = vol_nodeview_states(view);
	const uint32_t *editions = vol_nodeview_editions(view);
	struct vol_cost *costs = vol_kind_costs(kind);
	/* Most devices have the same. */
	uint32_t max_risk = VOL_OUTLOOK_ONE, allowed = VOL_OUTLOOK_ONE;

	*best = UINT32_MAX;
	*worst = 0;
	for (size_t i = 0; i < c->n; i++) {
		struct vol_candidate *a = &c->list[i];
		uint32_t slot = a->slot, cost = VOL_SCORE_UNIT;

		a->taken = a->dropped = a->held = false;
		a->later_s = 0;
		a->level = 0;
		a->state = VOL_NODETABLE_OPEN;
		if (slot != VOL_NO_DEVICE) {
			a->state = states[slot];
			if (a->state != VOL_NODETABLE_OPEN) {
				drop(c, a, false);
				continue;
			}
			cost = vol_devices_cost(d, kind, slot, editions[slot],
						&costs[slot]);
			if (costs[slot].max_risk != max_risk) {
				max_risk = costs[slot].max_risk;
				allowed = vol_score_allowed(plan, max_risk,
							    waited_s);
			}
			if (costs[slot].risk > allowed) {
				drop(c, a, true);
				continue;
			}
		}
		*best = cost < *best ? cost : *best;
		*worst = cost > *worst ? cost : *worst;
	}
}

/* on[level]: how many of a level there are. */
static void coarsen(struct vol_candidates *c,
		    const uint32_t on[VOL_SCORE_LEVELS], uint32_t wanted)
{
	uint64_t fine = VOL_CANDIDATES_FINE * ((uint64_t)wanted + 1), n = 0;
	uint8_t to[VOL_SCORE_LEVELS];
	uint32_t last = 0, levels = 0;

	while (last < VOL_SCORE_LEVELS - 1 && (n += on[last]) < fine)
		last++;
	for (uint32_t i = 0; i < VOL_SCORE_LEVELS; i++) {
		uint32_t beyond = i > last ? i - last - 1 : 0;

		to[i] = (uint8_t)(i - beyond % VOL_CANDIDATES_COARSE);
		levels += on[i] > 0;
	}
	for (size_t i = 0; i < c->n; i++)
		c->list[i].level = to[c->list[i].level];
	c->ordered = levels > 1;
}

void vol_candidates_judge(struct vol_candidates *c, struct vol_devices *d,
			  struct vol_kind *kind, uint32_t waited_s,
			  uint32_t wanted)
{
	struct vol_cost *costs = vol_kind_costs(kind), *cost;
	uint32_t best, worst, era, others, on[VOL_SCORE_LEVELS] = {0};

	c->dropped = c->held = 0;
	c->ordered = false;
	appraise(c, d, kind, waited_s, &best, &worst);
	if (best >= worst)
		return;
	era = vol_kind_era(kind, best, worst);
	others = vol_score_level(VOL_SCORE_UNIT, best, worst);
	for (size_t i = 0; i < c->n; i++) {
		struct vol_candidate *a = &c->list[i];

		if (a->dropped)
			continue;
		if (a->slot == VOL_NO_DEVICE) {
			a->level = (uint8_t)others;
		} else {
			cost = &costs[a->slot];
			if (cost->era != era) {
				cost->level = (uint8_t)vol_score_level(
					cost->cost, best, worst);
				cost->era = era;
			}
			a->level = cost->level;
		}
		on[a->level]++;
	}
	coarsen(c, on, wanted);
}

/* When a dropped one may do. */
static uint32_t later(const struct vol_candidate *a, struct vol_kind *kind,
		      uint32_t waited_s, uint32_t owner_s)
{
	const struct vol_cost *cost = &vol_kind_costs(kind)[a->slot];
	uint32_t wait;

	if (!a->held)
		return owner_s;
	wait = vol_score_wait(vol_kind_plan(kind), cost->max_risk, cost->risk);
	return wait > waited_s ? wait - waited_s : 1;
}

void vol_candidates_forgive(struct vol_candidates *c, struct vol_kind *kind,
			    uint32_t waited_s, uint32_t owner_s)
{
	const bool all = c->dropped == c->n;
	uint32_t first = UINT32_MAX, last = 0;

	for (size_t i = 0; c->dropped && i < c->n; i++) {
		struct vol_candidate *a = &c->list[i];

		if (!a->dropped)
			continue;
		a->later_s = later(a, kind, waited_s, owner_s);
		first = a->later_s < first ? a->later_s : first;
		last = a->later_s > last ? a->later_s : last;
	}
	for (size_t i = 0; c->dropped && i < c->n; i++) {
		struct vol_candidate *a = &c->list[i];

		if (!a->dropped)
			continue;
		a->dropped = a->held = false;
		a->level = VOL_SCORE_LEVELS - 1;
		if (all && last > first)
			a->level = (uint8_t)((uint64_t)(a->later_s - first) *
					     a->level / (last - first));
	}
	c->ordered |= c->dropped && (!all || last > first);
	c->dropped = c->held = 0;
}

/* --- for people ----------------------------------------------------------- */

static enum vol_placement_fate fate_of(const struct vol_candidate *a)
{
	if (a->taken)
		return VOL_PLACEMENT_TAKEN;
	if (a->held)
		return VOL_PLACEMENT_HELD;
	return a->dropped ? VOL_PLACEMENT_DROPPED : VOL_PLACEMENT_PASSED;
}

/* Should a be told of before b?  Slurm's own order is by weight first. */
static bool sooner(const struct vol_candidate *a, const struct vol_candidate *b)
{
	if (fate_of(a) != fate_of(b))
		return fate_of(a) < fate_of(b);
	if (a->weight != b->weight)
		return a->weight < b->weight;
	return a->level < b->level;
}

static void describe(const struct vol_candidate *a, struct vol_devices *d,
		     const struct vol_kind *kind, struct vol_placement_node *to)
{
	const struct vol_nodetable_node *node =
		vol_nodeview_node(vol_devices_view(d), a->slot);

	*to = (struct vol_placement_node){
		.fate = fate_of(a),
		.state = (enum vol_nodetable_state)a->state,
		.weight = a->weight,
		.level = a->level,
	};
	if (!node)
		return;
	memcpy(to->name, node->name, sizeof(to->name));
	to->speed = node->speed;
	if (!a->dropped || a->held)
		vol_devices_explain(d, kind, a->slot, &to->figures);
}

/* Insert into a list of pointers that is sorted and has at most max. */
static size_t insert(const struct vol_candidate **list, size_t n, size_t max,
		     const struct vol_candidate *a)
{
	size_t at = n;

	while (at > 0 && sooner(a, list[at - 1]))
		at--;
	if (at == max)
		return n;
	if (n == max)
		n--;
	memmove(&list[at + 1], &list[at], (n - at) * sizeof(*list));
	list[at] = a;
	return n + 1;
}

void vol_candidates_tell(const struct vol_candidates *c, struct vol_devices *d,
			 const struct vol_kind *kind, struct vol_placement *p)
{
	/* Some of each fate, or many of one would hide the others. */
	const size_t most[] = {
		[VOL_PLACEMENT_TAKEN] = VOL_PLACEMENT_NODES / 2,
		[VOL_PLACEMENT_PASSED] = VOL_PLACEMENT_NODES / 4,
		[VOL_PLACEMENT_HELD] = VOL_PLACEMENT_NODES / 12,
		[VOL_PLACEMENT_DROPPED] = VOL_PLACEMENT_NODES / 6,
	};
	enum { FATES = sizeof(most) / sizeof(most[0]) };
	const struct vol_candidate *best[FATES][VOL_PLACEMENT_NODES];
	size_t n[FATES] = {0};

	p->taken = p->passed = p->held = p->dropped = 0;
	p->others = p->n_nodes = 0;
	p->unfit = (uint32_t)c->unfit;
	for (size_t i = 0; i < c->n; i++) {
		const struct vol_candidate *a = &c->list[i];
		enum vol_placement_fate fate = fate_of(a);

		if (a->slot == VOL_NO_DEVICE) {
			p->others++;
			continue;
		}
		p->taken += fate == VOL_PLACEMENT_TAKEN;
		p->passed += fate == VOL_PLACEMENT_PASSED;
		p->held += fate == VOL_PLACEMENT_HELD;
		p->dropped += fate == VOL_PLACEMENT_DROPPED;
		n[fate] = insert(best[fate], n[fate], most[fate], a);
	}
	for (size_t fate = 0; fate < FATES; fate++)
		for (size_t i = 0; i < n[fate]; i++)
			describe(best[fate][i], d, kind,
				 &p->nodes[p->n_nodes++]);
}

/* --- the job's own word --------------------------------------------------- */

uint32_t vol_checkpoint_from_env(char *const *env, size_t n)
{
	const size_t len = strlen(VOL_CHECKPOINT_ENV "=");

	for (size_t i = 0; env && i < n; i++) {
		uint64_t seconds = 0;
		const char *p;

		if (!env[i] ||
		    strncmp(env[i], VOL_CHECKPOINT_ENV "=", len) != 0)
			continue;
		for (p = env[i] + len; *p >= '0' && *p <= '9'; p++) {
			seconds = seconds * 10 + (uint64_t)(*p - '0');
			if (seconds > UINT32_MAX)
				return 0;
		}
		return *p ? 0 : (uint32_t)seconds;
	}
	return 0;
}
