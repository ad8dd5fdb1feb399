/* SPDX-License-Identifier: GPL-2.0-or-later */
/* desk_decide.c - from the jobs that were read to the changes to make
 *
 * The rules are in evict.c and parked.c; this walks the lists.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "desk_private.h"
#include "forecasts.h"
#include "images.h"
#include "log.h"
#include "reports.h"
#include "server.h"

/* For so long slurmctld may have trouble with a change. */
#define TROUBLE_MAX_S 300

static void answer(struct vol_desk *d, const struct vol_ask *ask,
		   enum vol_outcome outcome, const char *reason)
{
	struct vol_link_msg msg = {.type = VOL_LINK_EVICTED, .job = ask->job};
	struct vol_member *member =
		vol_controller_member_by_id(d->c, ask->device);

	vol_info("%s: job %u must go (%s): %s%s%s", ask->node, ask->job,
		 ask->why, vol_outcome_name(outcome), *reason ? ": " : "",
		 reason);
	if (!member || !member->peer)
		return; /* it will ask again */
	msg.outcome = outcome;
	snprintf(msg.reason, sizeof(msg.reason), "%s", reason);
	vol_peer_send(member->peer, &msg);
	if (!ask->check)
		vol_reports_done(member, ask->job, ask->report);
}

/* It stays, and goes on: what was saved of this run is behind that.  It does
 * not go on before that is gone; the device asks again. */
static void refuse(struct vol_desk *d, const struct vol_ask *ask,
		   const struct vol_slurm_job *job, const char *reason)
{
	if (vol_images_forget(d->c->images, job->id, job->restarts) == 0)
		answer(d, ask, VOL_OUTCOME_REFUSED, reason);
}

/* Once more in a later round, unless the device has asked anew meanwhile. */
static void put_back(struct vol_desk *d, const struct vol_ask *ask)
{
	struct vol_ask *again;
	size_t i;

	for (i = 0; i < d->n_asks; i++)
		if (d->asks[i].job == ask->job && !d->asks[i].check &&
		    strcmp(d->asks[i].device, ask->device) == 0)
			return;
	again = vol_desk_grow(&d->asks, &d->n_asks, sizeof(*again));
	if (!again)
		return; /* the device asks again */
	*again = *ask;
	again->taken = false;
	if (!again->trouble)
		again->trouble = time(NULL);
}

/* Nothing is done about it, and nothing answered: to the device it would be
 * about the job that it has now.  If that must go, too, it says so. */
static void let_pass(struct vol_desk *d, const struct vol_ask *ask)
{
	struct vol_member *member =
		vol_controller_member_by_id(d->c, ask->device);

	vol_info("%s: job %u must go (%s): said of an earlier run", ask->node,
		 ask->job, ask->why);
	if (member)
		vol_reports_done(member, ask->job, ask->report);
}

/* Was the job asked about?  If it was not found then, it is not there. */
static bool was_read(const struct vol_desk_round *r, uint32_t id)
{
	size_t i;

	if (r->all)
		return !r->failed;
	for (i = 0; i < r->n_ids; i++)
		if (r->ids[i] == id)
			return !r->failed || vol_slurm_jobs_find(&r->jobs, id);
	return false;
}

static bool is_on(const struct vol_slurm_job *job, const char *node)
{
	if (!strpbrk(job->nodes, "[,"))
		return strcmp(job->nodes, node) == 0;
	return vol_slurm_nodes_have(job->nodes, node);
}

static struct vol_change *add_change(struct vol_desk_round *r,
				     enum vol_change_kind kind,
				     const struct vol_slurm_job *job)
{
	struct vol_change *c =
		vol_desk_grow(&r->changes, &r->n_changes, sizeof(*c));

	if (!c)
		return NULL;
	c->kind = kind;
	c->job = *job;
	c->job.nodes = c->job.excluded = NULL;
	return c;
}

static struct vol_revival *find_revival(struct vol_desk *d, uint32_t job)
{
	size_t i;

	for (i = 0; i < d->memory.n_revivals; i++)
		if (d->memory.revivals[i].job == job)
			return &d->memory.revivals[i];
	return NULL;
}

void vol_desk_unbegun(struct vol_desk *d, const struct vol_member *member,
		      const struct vol_link_msg *msg)
{
	const struct vol_revival *r = find_revival(d, msg->job);

	/* Of the run that it was told to end, and of no other one. */
	if (r && strcmp(r->node, member->node_name) == 0)
		vol_images_spare(d->c->images, r->job, r->restarts);
}

static void drop_revival(struct vol_desk *d, struct vol_revival *r)
{
	*r = d->memory.revivals[--d->memory.n_revivals];
	d->memory.changed = true;
}

static void remember(struct vol_desk *d, const struct vol_slurm_job *job,
		     const char *node, bool exclude)
{
	struct vol_revival *r = find_revival(d, job->id);

	if (!r)
		r = vol_desk_grow(&d->memory.revivals, &d->memory.n_revivals,
				  sizeof(*r));
	if (!r)
		return;
	vol_revival_fill(r, job, node, exclude, time(NULL));
	d->memory.changed = true;
}

/* Most are drained long before, many in one call; then nothing is asked. */
static void shut(struct vol_desk *d, struct vol_change *c)
{
	const struct vol_member *m =
		vol_controller_member_at_node(d->c, c->ask.node);

	if (!m || !vol_member_shuts(m, c->drain) ||
	    (m->slurm_known && m->node.drained && !m->pending))
		*c->drain = '\0';
}

static void decide_ask(struct vol_desk *d, struct vol_desk_round *r,
		       const struct vol_ask *ask)
{
	const struct vol_slurm_job *job =
		vol_slurm_jobs_find(&r->jobs, ask->job);
	bool here = job && is_on(job, ask->node);
	enum vol_evict_step step = vol_evict_decide(job, here, ask->force);
	struct vol_change *c = NULL;

	if (ask->check) {
		if (step == VOL_EVICT_GONE || step == VOL_EVICT_DONE)
			answer(d, ask, VOL_OUTCOME_GONE, "Slurm is ending it");
		return;
	}
	if (here && vol_evict_outdated(job, ask->asked, time(NULL))) {
		let_pass(d, ask);
		return;
	}
	switch (step) {
	case VOL_EVICT_GONE:
		answer(d, ask, VOL_OUTCOME_GONE, "");
		return;
	case VOL_EVICT_REFUSE:
		refuse(d, ask, job, "can not be requeued");
		return;
	case VOL_EVICT_DONE:
		answer(d, ask, VOL_OUTCOME_REQUEUED, "");
		return;
	case VOL_EVICT_REQUEUE:
		c = add_change(r, VOL_CHANGE_REQUEUE, job);
		if (c)
			remember(d, job, ask->node, ask->exclude);
		break;
	case VOL_EVICT_CANCEL:
		c = add_change(r, VOL_CHANGE_CANCEL, job);
		break;
	}
	if (!c) {
		vol_err("job %u: out of memory", ask->job);
		return; /* the device asks again */
	}
	c->ask = *ask;
	if (c->kind == VOL_CHANGE_REQUEUE)
		shut(d, c);
}

static void decide_asks(struct vol_desk *d, struct vol_desk_round *r)
{
	size_t i, kept = 0;

	for (i = 0; i < d->n_asks; i++)
		/* What was read before a device asked may be older than the job
		 * that it asks about. */
		if (d->asks[i].taken && was_read(r, d->asks[i].job))
			decide_ask(d, r, &d->asks[i]);
		else
			d->asks[kept++] = d->asks[i];
	d->n_asks = kept;
}

/* A job goes with its device.  (One that is here only makes its slurmd
 * register again: that is nobody's fault.) */
static void count_lost(struct vol_desk *d, const char *node)
{
	struct vol_member *member = vol_controller_member_at_node(d->c, node);

	if (member && !member->peer)
		vol_forecasts_evicted(member, 1);
}

/* Slurm requeues what it can of a node that goes down. */
static void note_left(struct vol_desk *d, const struct vol_slurm_job *job,
		      const char *node)
{
	if (job->batch && job->requeue)
		remember(d, job, node, false);
	count_lost(d, node);
}

static int by_text(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

/* All devices of a building may leave at once, each with a job. */
static void note_leaving(struct vol_desk *d, const struct vol_desk_round *r)
{
	cleanup_free const char **names =
		calloc(r->n_leaving + 1, sizeof(const char *));
	const struct vol_slurm_job *job;
	const char *const *name, *nodes;
	size_t i, j;

	if (!names) {
		vol_err("jobs: out of memory");
		return;
	}
	for (i = 0; i < r->n_leaving; i++)
		names[i] = d->leaving[i];
	qsort(names, r->n_leaving, sizeof(*names), by_text);
	for (i = 0; i < r->jobs.n; i++) {
		job = &r->jobs.jobs[i];
		if (job->state != VOL_JOB_RUNNING)
			continue;
		nodes = job->nodes;
		if (!strpbrk(nodes, "[,")) {
			name = bsearch(&nodes, names, r->n_leaving,
				       sizeof(*names), by_text);
			if (name)
				note_left(d, job, *name);
			continue;
		}
		for (j = 0; j < r->n_leaving; j++)
			if (is_on(job, names[j]))
				note_left(d, job, names[j]);
	}
}

/* That a user is not welcome says nothing about when the owner comes. */
static void count_evicted(struct vol_desk *d, const struct vol_ask *ask)
{
	struct vol_member *member =
		vol_controller_member_by_id(d->c, ask->device);

	if (member && !ask->exclude)
		vol_forecasts_evicted(member, 1);
}

/* old and one more node, owned; NULL if it is in there or there is none. */
static char *exclude_too(const char *old, const char *node)
{
	char *list;

	if (!*node || vol_slurm_nodes_have(old, node) ||
	    asprintf(&list, "%s%s%s", old, *old ? "," : "", node) < 0)
		return NULL;
	return list;
}

static bool is_ajar(struct vol_desk *d, const struct vol_revival *r)
{
	const struct vol_member *member =
		vol_controller_member_at_node(d->c, r->node);

	return member && vol_member_ajar(member);
}

static void decide_revivals(struct vol_desk *d, struct vol_desk_round *round)
{
	struct vol_slurm_job_update u;
	const struct vol_slurm_job *job;
	struct vol_revival *r;
	struct vol_change *c;
	int32_t nice;
	size_t i;

	/* From the end: a dropped one leaves its place to the last. */
	for (i = d->memory.n_revivals; i-- > 0;) {
		r = &d->memory.revivals[i];
		if (!was_read(round, r->job))
			continue;
		job = vol_slurm_jobs_find(&round->jobs, r->job);
		switch (vol_revive_decide(r, job, time(NULL), &u, &nice)) {
		case VOL_REVIVE_WAIT:
			break;
		case VOL_REVIVE_DROP:
			drop_revival(d, r);
			break;
		case VOL_REVIVE_UPDATE:
			if (!vol_revive_may_begin(r, is_ajar(d, r), time(NULL)))
				break;
			c = add_change(round, VOL_CHANGE_REVIVE, job);
			if (!c)
				break;
			r->tries++;
			c->update = u;
			c->nice = u.nice ? nice : 0;
			c->excluded = exclude_too(job->excluded, r->exclude);
			break;
		}
	}
}

static void decide_grants(struct vol_desk *d, struct vol_desk_round *r)
{
	struct vol_desk_memory *m = &d->memory;
	const struct vol_slurm_job *job;
	struct vol_change *c;
	struct vol_grant *g;
	uint32_t limit_min;
	size_t i;

	for (i = m->n_grants; i-- > 0;) {
		g = &m->grants[i];
		if (!was_read(r, g->job))
			continue;
		job = vol_slurm_jobs_find(&r->jobs, g->job);
		switch (vol_parked_decide(g, job, job && is_on(job, g->node),
					  time(NULL), &limit_min)) {
		case VOL_PARKED_NOTHING:
			break;
		case VOL_PARKED_FORGET:
			*g = m->grants[--m->n_grants];
			m->changed = true;
			break;
		case VOL_PARKED_EXTEND:
			m->changed = true;
			c = add_change(r, VOL_CHANGE_EXTEND, job);
			if (c)
				c->update.limit_min = limit_min;
			break;
		}
	}
}

void vol_desk_decide(struct vol_desk *d, struct vol_desk_round *round)
{
	/* What is requeued in this round was not read as requeued. */
	decide_revivals(d, round);
	decide_grants(d, round);
	decide_asks(d, round);
	note_leaving(d, round);
}

/* Slurm has no objection, only trouble. */
static bool may_pass(const struct vol_change *c)
{
	return (c->error == EBUSY || c->error == EIO || c->error == ENOMEM) &&
	       (!c->ask.trouble || time(NULL) - c->ask.trouble < TROUBLE_MAX_S);
}

bool vol_desk_note_asked(struct vol_desk *d, const struct vol_change *c)
{
	struct vol_revival *r = find_revival(d, c->job.id);
	enum vol_outcome outcome = c->kind == VOL_CHANGE_REQUEUE
					   ? VOL_OUTCOME_REQUEUED
					   : VOL_OUTCOME_CANCELLED;

	if (!c->error) {
		vol_info("job %u: run %u on %s was %s", c->job.id,
			 c->job.restarts, c->ask.node,
			 vol_outcome_name(outcome));
		count_evicted(d, &c->ask);
	}
	if (!c->error || c->error == EALREADY) {
		if (r)
			r->since = time(NULL);
		answer(d, &c->ask, outcome, "");
		return true;
	}
	if (r && c->kind == VOL_CHANGE_REQUEUE)
		drop_revival(d, r);
	if (may_pass(c)) {
		put_back(d, &c->ask);
		return false;
	}
	if (c->error == ENOENT || c->error == ESRCH)
		answer(d, &c->ask, VOL_OUTCOME_GONE, c->why.text);
	else
		refuse(d, &c->ask, &c->job, c->why.text);
	return true;
}

void vol_desk_note_revived(struct vol_desk *d, const struct vol_change *c)
{
	struct vol_revival *r = find_revival(d, c->job.id);

	if (r && !r->begun)
		vol_info("job %u: may start elsewhere at once", c->job.id);
	if (r)
		r->begun = true;
}
