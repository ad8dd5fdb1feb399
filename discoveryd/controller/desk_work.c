/* SPDX-License-Identifier: GPL-2.0-or-later */
/* desk_work.c - a round's libslurm calls; runs on the registrar's thread */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "desk_private.h"

/* Fewer are looked at and drained one by one. */
#define SINGLE_DRAINS 4
/* One update of that many nodes takes slurmctld about 10 ms under its locks. */
#define DRAINS_MAX 256

static uint64_t now_ms(void)
{
	return vol_controller_now_ms();
}

static int by_number(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static bool read_singles(struct vol_desk_round *r, struct vol_error *why)
{
	struct vol_slurm_job *job;
	size_t i;

	if (!r->jobs.jobs)
		r->jobs.jobs = calloc(VOL_DESK_SINGLES, sizeof(*job));
	if (!r->jobs.jobs) {
		r->failed = true;
		vol_errorf(&r->why, "out of memory");
		return true;
	}
	/* Jobs are looked up by halves. */
	qsort(r->ids, r->n_ids, sizeof(*r->ids), by_number);
	for (i = r->jobs.n = 0; i < r->n_ids; i++) {
		job = &r->jobs.jobs[r->jobs.n];
		if (vol_slurm_job_get(r->ids[i], job, why) == 0)
			r->jobs.n++;
		else if (errno == EAGAIN)
			return false;
		else if (errno != ENOENT) {
			r->failed = true;
			r->why = *why;
		}
	}
	return true;
}

bool vol_desk_read(struct vol_errand *errand, struct vol_error *why)
{
	struct vol_desk_round *r = (struct vol_desk_round *)errand;
	uint64_t begin = now_ms();

	r->failed = false;
	if (!r->all) {
		if (!read_singles(r, why))
			return false;
	} else if (vol_slurm_jobs_load(&r->jobs, why) < 0) {
		if (errno == EAGAIN)
			return false;
		r->failed = true;
		r->why = *why;
	}
	r->took_ms = now_ms() - begin;
	return true;
}

static int cancel(struct vol_change *c, struct vol_error *why)
{
	char text[VOL_WHY_SIZE + VOL_NODE_NAME_SIZE + 128];
	struct vol_error ignored;

	snprintf(
		text, sizeof(text),
		"slurm-volunteer: the owner of %s needs the machine (%s); this "
		"job can not be requeued and is cancelled",
		c->ask.node, c->ask.why);
	/* A job whose output can not be written must go nevertheless. */
	(void)vol_slurm_job_notify(&c->job, text, &ignored);
	return vol_slurm_job_cancel(&c->job, why);
}

/* Before the requeue, or the job may start on the same device again, which
 * would only send it away once more.  What somebody has drained already is left
 * as it is, and a node that can not be drained does not keep the job: it is
 * told to begin a little later, see vol_revive_may_begin. */
static int drain_first(struct vol_change *c, struct vol_error *why)
{
	struct vol_slurm_update u = {.drain = true, .reason = c->drain};
	struct vol_slurm_node node;

	if (!*c->drain || c->drained)
		return 0;
	if (vol_slurm_node_get(c->ask.node, &node, why) < 0)
		return errno == EAGAIN ? -1 : 0;
	if (node.drained || vol_node_held(&node, false))
		return 0;
	if (vol_slurm_node_update(c->ask.node, &u, why) == 0)
		c->drained = true;
	else if (errno == EAGAIN)
		return -1;
	return 0;
}

static bool wants_drain(const struct vol_change *c)
{
	return c->kind == VOL_CHANGE_REQUEUE && *c->drain && !c->drained &&
	       !c->done && !c->alone;
}

/* All from c on that drain for its reason, in one call. */
static int drain_alike(struct vol_desk_round *r, struct vol_change *first,
		       struct vol_error *why)
{
	struct vol_slurm_update u = {.drain = true, .reason = first->drain};
	struct vol_change *c, *last = r->changes + r->n_changes;
	char names[DRAINS_MAX * VOL_NODE_NAME_SIZE] = "", *end = names;
	size_t n = 0;
	int rc;

	for (c = first; c < last && n < DRAINS_MAX; c++) {
		if (!wants_drain(c) || strcmp(c->drain, first->drain) != 0)
			continue;
		if (n++)
			*end++ = ',';
		end = stpcpy(end, c->ask.node);
	}
	rc = vol_slurm_node_update(names, &u, why);
	if (rc < 0 && errno == EAGAIN)
		return -1;
	for (c = first; c < last && n > 0; c++) {
		if (!wants_drain(c) || strcmp(c->drain, first->drain) != 0)
			continue;
		c->drained = rc == 0;
		c->alone = rc < 0;
		n--;
	}
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct vol_slurm_node *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* When the owners of a campus come to work: as drain_first, with one look and
 * one call for each reason. */
static int drain_together(struct vol_desk_round *r, struct vol_error *why)
{
	struct vol_slurm_snapshot all = VOL_SLURM_SNAPSHOT_INIT;
	struct vol_slurm_node key, *node;
	struct vol_change *c, *last = r->changes + r->n_changes;
	size_t n = 0;
	int rc = 0;

	for (c = r->changes; c < last; c++)
		n += wants_drain(c);
	if (n <= SINGLE_DRAINS)
		return 0;
	if (vol_slurm_nodes_load(&all, why) < 0)
		return errno == EAGAIN ? -1 : 0;
	if (all.n_nodes)
		qsort(all.nodes, all.n_nodes, sizeof(*all.nodes), by_name);
	for (c = r->changes; c < last; c++) {
		if (!wants_drain(c))
			continue;
		memcpy(key.name, c->ask.node, sizeof(key.name));
		node = all.n_nodes ? bsearch(&key, all.nodes, all.n_nodes,
					     sizeof(key), by_name)
				   : NULL;
		if (!node || node->drained || vol_node_held(node, false))
			*c->drain = '\0';
	}
	vol_slurm_snapshot_clear(&all);
	for (c = r->changes; c < last && rc == 0; c++)
		if (wants_drain(c))
			rc = drain_alike(r, c, why);
	return rc;
}

static int carry_out(struct vol_change *c, struct vol_error *why)
{
	switch (c->kind) {
	case VOL_CHANGE_REQUEUE:
		return drain_first(c, why) < 0
			       ? -1
			       : vol_slurm_job_requeue(&c->job, why);
	case VOL_CHANGE_CANCEL:
		return cancel(c, why);
	default:
		c->update.excluded = c->excluded;
		if (c->update.nice)
			c->update.nice = &c->nice;
		return vol_slurm_job_update(&c->job, &c->update, why);
	}
}

bool vol_desk_change(struct vol_errand *errand, struct vol_error *why)
{
	struct vol_desk_round *r = (struct vol_desk_round *)errand;
	uint64_t begin = now_ms();
	struct vol_change *c;
	size_t i;

	if (drain_together(r, why) < 0)
		return false;
	for (i = 0; i < r->n_changes; i++) {
		c = &r->changes[i];
		if (c->done)
			continue;
		c->error = carry_out(c, &c->why) < 0 ? errno : 0;
		if (c->error == EAGAIN) {
			*why = c->why;
			return false;
		}
		c->done = true;
	}
	r->took_ms += now_ms() - begin;
	return true;
}

void vol_desk_round_free(struct vol_errand *errand)
{
	struct vol_desk_round *r = (struct vol_desk_round *)errand;
	size_t i;

	for (i = 0; i < r->n_changes; i++)
		free(r->changes[i].excluded);
	free(r->changes);
	vol_slurm_jobs_clear(&r->jobs);
	free(r);
}
