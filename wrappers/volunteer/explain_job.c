/* SPDX-License-Identifier: GPL-2.0-or-later */
/* explain_job.c - what is known about a job's place, as JSON; pure */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "explain.h"
#include "explain_words.h"
#include "when.h"

static json_t *figures_json(const char *name, const char *fate,
			    const struct vol_score_figures *f)
{
	json_t *row = json_pack("{s:s, s:s}", "node", name, "fate", fate);

	if (row && f->run_s > 0) {
		json_object_set_new(row, "chance", json_real(f->evicted));
		json_object_set_new(row, "wasted_s", json_real(f->wasted_s));
		json_object_set_new(row, "completion_s",
				    json_real(f->completion_s));
	}
	return row;
}

static void set_number(json_t *row, const char *key, uint64_t number)
{
	json_object_set_new(row, key, json_integer((json_int_t)number));
}

/* ---- now ---- */

static json_t *choice_json(const struct vol_choice *c)
{
	json_t *row =
		figures_json(c->name, vol_choice_name(c->kind), &c->figures);

	if (!row)
		return NULL;
	json_object_set_new(row, "device", json_boolean(c->device));
	set_number(row, "weight", c->weight);
	if (c->device)
		set_number(row, "speed", c->speed);
	if (c->order) {
		set_number(row, "order", c->order);
		set_number(row, "level", c->level);
	}
	json_object_set_new(row, "why", json_string(c->why));
	return row;
}

static json_t *now_json(const struct vol_choices *c)
{
	json_t *list = json_array();
	json_t *now =
		json_pack("{s:I, s:b, s:o}", "others", (json_int_t)c->others,
			  "unsure", (int)c->unsure, "nodes", list);
	size_t i;

	for (i = 0; now && i < VOL_CHOICE_KINDS; i++)
		set_number(now, vol_choice_name((enum vol_choice_kind)i),
			   c->devices[i]);
	for (i = 0; now && i < c->n; i++)
		json_array_append_new(list, choice_json(&c->list[i]));
	return now;
}

/* ---- when it was started ---- */

static const char *fate_name(enum vol_placement_fate fate)
{
	switch (fate) {
	case VOL_PLACEMENT_TAKEN:
		return "taken";
	case VOL_PLACEMENT_PASSED:
		return "passed over";
	case VOL_PLACEMENT_HELD:
		return "held";
	case VOL_PLACEMENT_DROPPED:
		return "dropped";
	}
	return "?";
}

/* What made Slurm prefer another one. */
static void passed_words(const struct vol_placement_node *taken,
			 const struct vol_placement_node *n, char *buf,
			 size_t size)
{
	if (!taken)
		*buf = '\0';
	else if (n->weight > taken->weight)
		snprintf(buf, size, "its Weight %u comes after %u", n->weight,
			 taken->weight);
	else if (n->weight < taken->weight || n->level < taken->level)
		snprintf(buf, size,
			 "came before, but Slurm found no room on it");
	else if (n->level > taken->level)
		snprintf(buf, size, "would be done later");
	else
		snprintf(buf, size, "as good");
}

/* The record tells the state; why it was so is only known if it still is. */
static void dropped_words(const struct vol_placement *p,
			  const struct vol_placement_node *n,
			  const struct vol_device_list *devices, time_t now,
			  char *buf, size_t size)
{
	const struct vol_nodetable_node *d =
		devices ? vol_device_list_find(devices, n->name) : NULL;
	const char *state = vol_nodetable_state_name(n->state);
	char words[256];

	if (d && d->state == n->state && d->since && d->since <= p->at &&
	    n->state != VOL_NODETABLE_UNKNOWN) {
		vol_choice_state_words(d, devices->now_s, now, words,
				       sizeof(words));
		snprintf(buf, size, "%s", words);
	} else if (n->state == VOL_NODETABLE_UNKNOWN) {
		snprintf(buf, size, "no link to it");
	} else {
		snprintf(buf, size, "%s", state);
	}
}

static json_t *placed_json(const struct vol_placement *p,
			   const struct vol_placement_node *n,
			   const struct vol_placement_node *taken,
			   const struct vol_device_list *devices, time_t now)
{
	json_t *row = figures_json(n->name, fate_name(n->fate), &n->figures);
	char why[320] = "";

	if (!row)
		return NULL;
	set_number(row, "weight", n->weight);
	if (n->fate == VOL_PLACEMENT_DROPPED) {
		dropped_words(p, n, devices, now, why, sizeof(why));
	} else {
		set_number(row, "speed", n->speed);
	}
	if (n->fate == VOL_PLACEMENT_TAKEN || n->fate == VOL_PLACEMENT_PASSED)
		set_number(row, "level", n->level);
	if (n->fate == VOL_PLACEMENT_PASSED)
		passed_words(taken, n, why, sizeof(why));
	if (n->fate == VOL_PLACEMENT_HELD)
		snprintf(why, sizeof(why), "owner likely back too soon");
	json_object_set_new(row, "why", json_string(why));
	return row;
}

static json_t *placement_json(const struct vol_placement *p,
			      const struct vol_device_list *devices, time_t now)
{
	const struct vol_placement_node *taken = NULL;
	json_t *list = json_array(), *json;
	uint32_t i, n = p->n_nodes;

	if (n > VOL_PLACEMENT_NODES)
		n = VOL_PLACEMENT_NODES;
	json = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}",
			 "at", (json_int_t)p->at, "limit_s",
			 (json_int_t)p->facts.limit_s, "checkpoint_s",
			 (json_int_t)p->facts.checkpoint_s, "taken",
			 (json_int_t)p->taken, "passed", (json_int_t)p->passed,
			 "held", (json_int_t)p->held, "dropped",
			 (json_int_t)p->dropped, "unfit", (json_int_t)p->unfit,
			 "others", (json_int_t)p->others, "nodes", list);
	for (i = 0; json && i < n; i++) {
		if (!taken && p->nodes[i].fate == VOL_PLACEMENT_TAKEN)
			taken = &p->nodes[i];
		json_array_append_new(list, placed_json(p, &p->nodes[i], taken,
							devices, now));
	}
	return json;
}

/* ---- the page ---- */

static const char *state_name(enum vol_job_state state)
{
	switch (state) {
	case VOL_JOB_PENDING:
		return "pending";
	case VOL_JOB_RUNNING:
		return "running";
	case VOL_JOB_SUSPENDED:
		return "suspended";
	case VOL_JOB_FAILED:
		return "failed";
	case VOL_JOB_ENDED:
		break;
	}
	return "ended";
}

static void add_request(json_t *page, const struct vol_slurm_request *r)
{
	json_object_set_new(page, "state", json_string(state_name(r->state)));
	json_object_set_new(page, "partition", json_string(r->partitions));
	json_object_set_new(page, "nodes", json_string(r->nodes));
	set_number(page, "start", r->start > 0 ? (uint64_t)r->start : 0);
	set_number(page, "restarts", r->restarts);
	if (r->limit_min == VOL_JOB_UNLIMITED)
		json_object_set_new(page, "limit_s", json_null());
	else
		set_number(page, "limit_s", (uint64_t)r->limit_min * 60);
	if (r->state != VOL_JOB_PENDING)
		return;
	set_number(page, "min_nodes", r->min_nodes);
	json_object_set_new(page, "many_tasks", json_boolean(r->many_tasks));
	json_object_set_new(page, "reason", json_string(r->reason));
	json_object_set_new(page, "detail", json_string(r->detail));
	json_object_set_new(page, "means",
			    json_string(vol_words_reason(r->reason)));
}

/* Between the decision and the start that slurmctld notes. */
#define START_LAG_S 5

bool vol_explain_is_start(const struct vol_placement *p,
			  const struct vol_slurm_request *r,
			  bool (*has)(const char *hostlist, const char *name))
{
	uint32_t i;

	if (p->at > r->start + START_LAG_S || p->at < r->start - START_LAG_S)
		return false;
	for (i = 0; i < p->n_nodes && i < VOL_PLACEMENT_NODES; i++)
		if (p->nodes[i].fate == VOL_PLACEMENT_TAKEN &&
		    !has(r->nodes, p->nodes[i].name))
			return false;
	return true;
}

int vol_explain_job_check(const struct vol_job_facts *facts,
			  struct vol_error *err)
{
	const struct vol_slurm_request *r = facts->request;

	if (facts->placement)
		return 0;
	if (!r && facts->ctld_away)
		return vol_errorf(err, "slurmctld can not be asked: %s",
				  facts->ctld_trouble);
	if (!r)
		return vol_errorf_errno(err, ENOENT,
					"slurmctld does not know job %s (any "
					"more), and no start of it on "
					"volunteer devices is remembered",
					facts->name);
	if (r->state == VOL_JOB_PENDING &&
	    (!facts->choices || facts->choices->ours))
		return 0;
	if (r->state == VOL_JOB_PENDING)
		return vol_errorf(err,
				  "job %s waits in partition %s, which has no "
				  "volunteer devices: %s, %s",
				  facts->name, r->partitions, r->reason,
				  vol_words_reason(r->reason));
	if (!*r->nodes)
		return vol_errorf(err, "job %s ended before it was started",
				  facts->name);
	if (r->array_id && facts->on_devices && facts->select_active)
		return vol_errorf(err,
				  "nothing is remembered of how job %s came to "
				  "%s: of an array only the last start of a "
				  "task is",
				  facts->name, r->nodes);
	if (!facts->on_devices)
		return vol_errorf(err,
				  "job %s was placed on %s by Slurm alone: no "
				  "volunteer device among them",
				  facts->name, r->nodes);
	if (!facts->select_active)
		return vol_errorf(err,
				  "job %s was placed on %s by Slurm alone: the "
				  "select plugin is not active (volunteer "
				  "select --status)",
				  facts->name, r->nodes);
	return vol_errorf(err,
			  "nothing is remembered of how job %s came to %s: "
			  "only the last %d starts are, since the select "
			  "plugin is active",
			  facts->name, r->nodes, VOL_PLACEMENT_RING);
}

json_t *vol_explain_job(const struct vol_job_facts *facts, time_t now)
{
	json_t *page = json_pack("{s:s, s:b}", "job", facts->name,
				 "select_active", (int)facts->select_active);

	if (!page)
		return NULL;
	if (facts->request)
		add_request(page, facts->request);
	if (facts->score)
		set_number(page, "checkpoint_s", facts->score->checkpoint_s);
	if (facts->image)
		json_object_set(page, "image", (json_t *)facts->image);
	if (facts->choices)
		json_object_set_new(page, "now", now_json(facts->choices));
	if (facts->placement)
		json_object_set_new(page, "placement",
				    placement_json(facts->placement,
						   facts->devices, now));
	return page;
}
