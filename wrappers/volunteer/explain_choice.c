/* SPDX-License-Identifier: GPL-2.0-or-later */
/* explain_choice.c - which nodes could take a job now, in which order; pure */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explain_choice.h"
#include "explain_words.h"
#include "when.h"

static const char *const kind_names[VOL_CHOICE_KINDS] = {
	[VOL_CHOICE_FITS] = "fits",          [VOL_CHOICE_HELD] = "held",
	[VOL_CHOICE_BUSY] = "busy",          [VOL_CHOICE_OWNER] = "owner",
	[VOL_CHOICE_CLOSED] = "closed",      [VOL_CHOICE_NO_LINK] = "no link",
	[VOL_CHOICE_OUT] = "out of service", [VOL_CHOICE_CANNOT] = "can not",
	[VOL_CHOICE_UNFIT] = "not wanted",
};

const char *vol_choice_name(enum vol_choice_kind kind)
{
	return kind < VOL_CHOICE_KINDS ? kind_names[kind] : "?";
}

void vol_choice_facts(const struct vol_slurm_request *r,
		      struct vol_score_job *facts)
{
	memset(facts, 0, sizeof(*facts));
	facts->restart_s = VOL_SCORE_RESTART_S;
	if (r->limit_min == VOL_JOB_UNLIMITED)
		return;
	facts->limit_s =
		r->limit_min < UINT32_MAX / 60 ? r->limit_min * 60 : UINT32_MAX;
}

/* ---- one node ---- */

static bool has_name(const char *list, const char *name, size_t len)
{
	size_t n;

	for (; *list; list += n + (list[n] == ',')) {
		n = strcspn(list, ",");
		if (n == len && strncmp(list, name, n) == 0)
			return true;
	}
	return false;
}

int vol_choice_features(const char *constraint, const char *features)
{
	bool all = true;
	size_t n;

	if (!*constraint)
		return 1;
	if (strpbrk(constraint, "[]()*"))
		return -1;
	/* "&" binds more than "|"; "," is an old way to write "&". */
	for (;; constraint += n + 1) {
		n = strcspn(constraint, "&,|");
		all = all && has_name(features, constraint, n);
		if (all && (!constraint[n] || constraint[n] == '|'))
			return 1;
		if (!constraint[n])
			return 0;
		if (constraint[n] == '|')
			all = true;
	}
}

/* A device without jobs is not parked but closed when its owner comes; the
 * reason (policy.c) tells that from a pause or from hours. */
static bool owner_is_there(const struct vol_nodetable_node *node)
{
	return strncmp(node->why, "owner ", strlen("owner ")) == 0;
}

void vol_choice_state_words(const struct vol_nodetable_node *node,
			    uint64_t now_s, time_t now, char *buf, size_t size)
{
	const char *why = node->why;
	char when[32], span[VOL_WORDS_SIZE], since[48] = "";

	if (node->since)
		snprintf(since, sizeof(since), " since %s",
			 vol_when((time_t)node->since, now, when,
				  sizeof(when)));
	switch (node->state) {
	case VOL_NODETABLE_OPEN:
		snprintf(buf, size, "open%s", since);
		return;
	case VOL_NODETABLE_PARKED:
		snprintf(buf, size, "%s%s", *why ? why : "owner present",
			 *why ? "" : since);
		return;
	case VOL_NODETABLE_DRAINING:
		snprintf(buf, size, "its jobs move away%s%s", *why ? ": " : "",
			 why);
		return;
	case VOL_NODETABLE_CLOSED:
		snprintf(buf, size, "%s%s",
			 owner_is_there(node) ? ""
			 : *why               ? "closed: "
					      : "closed",
			 *why ? why : since);
		return;
	default:
		snprintf(buf, size, "no link to it%s%s",
			 node->heard_s ? " for " : "",
			 node->heard_s
				 ? vol_words_span(
					   now_s > node->heard_s
						   ? (double)(now_s -
							      node->heard_s)
						   : 0,
					   span)
				 : "");
	}
}

/* Does the job want this node at all?  If not, why. */
static bool is_wanted(const struct vol_slurm_request *r,
		      const struct vol_slurm_offer *o, struct vol_choice *c)
{
	if (o->excluded)
		snprintf(c->why, sizeof(c->why), "excluded by the job (-x)");
	else if (!o->required && r->n_required && r->n_required >= r->min_nodes)
		snprintf(c->why, sizeof(c->why), "the job wants %.200s (-w)",
			 r->required);
	else if (!o->in_partition)
		snprintf(c->why, sizeof(c->why), "not in partition %.100s",
			 r->partitions);
	else if (vol_choice_features(r->features, o->features) == 0)
		snprintf(c->why, sizeof(c->why), "lacks constraint %.200s",
			 r->features);
	else if (o->memory_mb < r->memory_mb)
		snprintf(c->why, sizeof(c->why),
			 "has %" PRIu64 " MB of memory, %" PRIu64 " wanted",
			 o->memory_mb, r->memory_mb);
	else if (o->cpus < r->cpus_per_node)
		snprintf(c->why, sizeof(c->why),
			 "has %" PRIu32 " CPUs, %" PRIu32 " wanted", o->cpus,
			 r->cpus_per_node);
	else
		return true;
	return false;
}

/* Is it in use by jobs, or out of service in Slurm's eyes? */
static enum vol_choice_kind slurm_kind(const struct vol_slurm_request *r,
				       const struct vol_slurm_offer *o,
				       struct vol_choice *c)
{
	uint32_t wanted = r->cpus_per_node ? r->cpus_per_node : 1;
	const char *word = o->down             ? "down"
			   : o->drained        ? "drained"
			   : o->not_responding ? "its slurmd does not answer"
					       : NULL;

	if (word) {
		snprintf(c->why, sizeof(c->why), "%s%s%s", word,
			 *o->reason ? ": " : "", o->reason);
		return VOL_CHOICE_OUT;
	}
	if (o->full || (o->cpus_used && o->cpus_used + wanted > o->cpus)) {
		snprintf(c->why, sizeof(c->why), "busy with other jobs");
		return VOL_CHOICE_BUSY;
	}
	if (o->shared && r->exclusive) {
		snprintf(c->why, sizeof(c->why),
			 "busy with other jobs, to be exclusive");
		return VOL_CHOICE_BUSY;
	}
	if (o->reserved && !*r->reservation)
		snprintf(c->why, sizeof(c->why), "part of a reservation");
	else if (o->shared)
		snprintf(c->why, sizeof(c->why), "shared with other jobs");
	return VOL_CHOICE_FITS;
}

static enum vol_choice_kind owner_kind(const struct vol_nodetable_node *node)
{
	switch (node->state) {
	case VOL_NODETABLE_OPEN:
		return VOL_CHOICE_FITS;
	case VOL_NODETABLE_PARKED:
	case VOL_NODETABLE_DRAINING:
		return VOL_CHOICE_OWNER;
	case VOL_NODETABLE_CLOSED:
		return owner_is_there(node) ? VOL_CHOICE_OWNER
					    : VOL_CHOICE_CLOSED;
	default:
		return VOL_CHOICE_NO_LINK;
	}
}

/* For how long it could have begun, as the select plugin sees it. */
static uint32_t waited_s(const struct vol_slurm_request *r, time_t now)
{
	time_t since = r->eligible ? r->eligible : r->submit;

	if (!r->batch || r->n_required || r->deadline || *r->reservation)
		return UINT32_MAX;
	return since < now ? (uint32_t)(now - since) : 0;
}

/* Does the job wait for one that stays open, although this one is free? */
static bool is_held(const struct vol_slurm_request *r,
		    const struct vol_score_plan *plan,
		    const struct vol_score_node *node, uint32_t max_risk,
		    time_t now, struct vol_choice *c)
{
	uint32_t waited = waited_s(r, now), wait;
	uint32_t risk = vol_score_risk(plan, node);
	char span[VOL_WORDS_SIZE];

	if (risk <= vol_score_allowed(plan, max_risk, waited))
		return false;
	wait = vol_score_wait(plan, max_risk, risk);
	snprintf(c->why, sizeof(c->why),
		 "the job waits for a better one, for %s at most",
		 vol_words_span(wait > waited ? wait - waited : 0, span));
	return true;
}

/* Why a job with this image can not go on there; NULL: it can, or need not. */
static const char *cannot(const json_t *image,
			  const struct vol_nodetable_node *d)
{
	const json_t *unfit;
	size_t i;

	if (!d || !json_is_true(json_object_get(image, "waits")))
		return NULL;
	json_array_foreach(json_object_get(image, "unfit"), i, unfit)
		if (json_integer_value(json_object_get(unfit, "machine")) ==
		    d->machine)
			return json_string_value(
				json_object_get(unfit, "reason"));
	return d->machine ? NULL : "it has not said what its machine is";
}

/* Sent to one that can not, it begins anew there, as the select plugin sees
 * it. */
static bool is_sent(const struct vol_slurm_offers *offers,
		    const struct vol_device_list *devices, const json_t *image)
{
	for (size_t i = 0; i < offers->n; i++)
		if (offers->list[i].required &&
		    cannot(image,
			   vol_device_list_find(devices, offers->list[i].name)))
			return true;
	return false;
}

static void judge(const struct vol_slurm_request *r,
		  const struct vol_score_plan *plan,
		  const struct vol_slurm_offer *o,
		  const struct vol_nodetable_node *d, const json_t *image,
		  uint64_t now_s, time_t now, struct vol_choice *c)
{
	const char *reason = cannot(image, d);
	struct vol_score_node node;

	c->name = o->name;
	c->weight = o->weight;
	c->device = d != NULL;
	c->cost = VOL_SCORE_UNIT; /* a node like any other never leaves */
	if (d)
		c->speed = d->speed;
	if (d && d->state == VOL_NODETABLE_OPEN) {
		vol_score_node(&node, &d->outlook, d->speed);
		c->cost = vol_score_cost(plan, &node);
		vol_score_explain(plan, &node, &c->figures);
	}
	if (!is_wanted(r, o, c)) {
		c->kind = VOL_CHOICE_UNFIT;
	} else if (reason) {
		c->kind = VOL_CHOICE_CANNOT;
		snprintf(c->why, sizeof(c->why), "%.250s", reason);
	} else if (d && d->state != VOL_NODETABLE_OPEN) {
		c->kind = owner_kind(d);
		vol_choice_state_words(d, now_s, now, c->why, sizeof(c->why));
	} else {
		c->kind = slurm_kind(r, o, c);
	}
	if (c->kind == VOL_CHOICE_FITS && d &&
	    is_held(r, plan, &node, d->max_risk, now, c))
		c->kind = VOL_CHOICE_HELD;
}

/* ---- all of them ---- */

/* As Slurm goes through them. */
static int by_order(const void *a, const void *b)
{
	const struct vol_choice *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->kind == VOL_CHOICE_FITS && x->weight != y->weight)
		return x->weight < y->weight ? -1 : 1;
	if (x->kind == VOL_CHOICE_FITS && x->level != y->level)
		return x->level < y->level ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* Levels are relative to the best and worst of those that fit. */
static void set_levels(struct vol_choices *c)
{
	uint32_t best = UINT32_MAX, worst = 0;
	size_t i;

	for (i = 0; i < c->n; i++) {
		if (c->list[i].kind != VOL_CHOICE_FITS)
			continue;
		if (c->list[i].cost < best)
			best = c->list[i].cost;
		if (c->list[i].cost > worst)
			worst = c->list[i].cost;
	}
	for (i = 0; i < c->n; i++)
		if (c->list[i].kind == VOL_CHOICE_FITS)
			c->list[i].level =
				vol_score_level(c->list[i].cost, best, worst);
}

static void set_orders(struct vol_choices *c)
{
	const struct vol_choice *last = NULL;
	unsigned int order = 0;
	size_t i;

	qsort(c->list, c->n, sizeof(*c->list), by_order);
	for (i = 0; i < c->n && c->list[i].kind == VOL_CHOICE_FITS; i++) {
		if (!last || last->weight != c->list[i].weight ||
		    last->level != c->list[i].level)
			order++;
		c->list[i].order = order;
		last = &c->list[i];
	}
}

static void count(struct vol_choices *c)
{
	size_t i;

	for (i = 0; i < c->n; i++) {
		if (c->list[i].device)
			c->devices[c->list[i].kind]++;
		else if (c->list[i].kind == VOL_CHOICE_FITS)
			c->others++;
	}
}

/* Nodes that are neither ours nor in the partition nor named concern nobody. */
static bool concerns(const struct vol_slurm_offer *o,
		     const struct vol_nodetable_node *d)
{
	return d || o->in_partition || o->required;
}

int vol_choices_make(const struct vol_slurm_request *r,
		     const struct vol_score_job *facts,
		     const struct vol_slurm_offers *offers,
		     const struct vol_device_list *devices, const json_t *image,
		     time_t now, struct vol_choices *c, struct vol_error *err)
{
	struct vol_choices fresh = {0};
	struct vol_score_plan plan;
	size_t i;

	fresh.list = calloc(offers->n + 1, sizeof(*fresh.list));
	if (!fresh.list)
		return vol_errorf(err, "out of memory");
	vol_score_plan(&plan, facts);
	if (is_sent(offers, devices, image))
		image = NULL;
	for (i = 0; i < offers->n; i++) {
		const struct vol_slurm_offer *o = &offers->list[i];
		const struct vol_nodetable_node *d =
			vol_device_list_find(devices, o->name);

		fresh.ours += d && o->in_partition;
		if (concerns(o, d))
			judge(r, &plan, o, d, image, devices->now_s, now,
			      &fresh.list[fresh.n++]);
	}
	fresh.unsure = vol_choice_features(r->features, "") < 0;
	set_levels(&fresh);
	set_orders(&fresh);
	count(&fresh);
	vol_choices_clear(c);
	*c = fresh;
	return 0;
}

void vol_choices_clear(struct vol_choices *c)
{
	free(c->list);
	memset(c, 0, sizeof(*c));
}
