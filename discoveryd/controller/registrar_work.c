/* SPDX-License-Identifier: GPL-2.0-or-later */
/* registrar_work.c - wishes as libslurm calls; runs on the registrar's thread
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "registrar_work.h"

/* One update of that many nodes takes slurmctld about 10 ms under its locks,
 * and the list stays far below the largest message. */
#define GROUP_MAX 512

static int change(const char *names, const struct vol_wish *w,
		  struct vol_error *err)
{
	struct vol_slurm_update u = {0};
	char features[VOL_FACTS_CONF_SIZE];

	switch (w->action) {
	case VOL_ACT_DOWN:
		u.down = true;
		u.reason = *w->text ? w->text : NULL;
		break;
	case VOL_ACT_DRAIN:
		u.drain = true;
		u.reason = w->text;
		break;
	case VOL_ACT_RESUME:
		u.resume = true;
		break;
	case VOL_ACT_ADDRESS:
		u.address = w->address;
		break;
	case VOL_ACT_FEATURES:
		if (vol_facts_features(&w->facts, features, sizeof(features)))
			return vol_errorf(err, "too many features");
		u.features = features;
		break;
	case VOL_ACT_COMMENT:
		u.comment = w->text;
		break;
	default:
		return 0;
	}
	return vol_slurm_node_update(names, &u, err);
}

static int carry_out(const struct vol_wish *w, struct vol_error *err)
{
	switch (w->action) {
	case VOL_ACT_CREATE:
		return vol_slurm_node_create(w->node, w->address, w->hostname,
					     &w->facts, err);
	case VOL_ACT_DELETE:
		if (vol_slurm_node_delete(w->node, err) == 0)
			return 0;
		return errno == ENOENT ? 0 : -1;
	default:
		return change(w->node, w, err);
	}
}

bool vol_work_is_patient(const struct vol_job *job)
{
	return job->wish.action == VOL_ACT_DRAIN ||
	       job->wish.action == VOL_ACT_RESUME;
}

static void note_check(struct vol_job *job, const struct vol_slurm_node *node)
{
	struct vol_answer *a = &job->answer;

	a->looked = true;
	a->exists = node != NULL;
	a->error = 0;
	if (node)
		a->node = *node;
	if (!node)
		a->error = ENOENT;
	else if (vol_node_held(node, false) ||
		 (job->wish.action == VOL_ACT_RESUME && !node->drained &&
		  !node->down))
		a->error = ESTALE;
	job->checked = !a->error;
	/* Done meanwhile: the desk drains before it requeues. */
	job->done = !job->checked ||
		    (job->wish.action == VOL_ACT_DRAIN && node->drained &&
		     strcmp(node->reason, job->wish.text) == 0);
}

static int by_name(const void *a, const void *b)
{
	const struct vol_slurm_node *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static struct vol_job *next_patient(struct vol_job *job)
{
	while (job && (job->done || !vol_work_is_patient(job)))
		job = job->next;
	return job;
}

bool vol_work_check(struct vol_job *list, struct vol_error *why)
{
	struct vol_slurm_snapshot all = VOL_SLURM_SNAPSHOT_INIT;
	struct vol_job *job = next_patient(list);
	struct vol_slurm_node node;
	int rc;

	if (!job)
		return true;
	if (!next_patient(job->next)) {
		rc = vol_slurm_node_get(job->wish.node, &node, why);
		if (rc == 0 || errno == ENOENT)
			note_check(job, rc == 0 ? &node : NULL);
		return rc == 0 || errno != EAGAIN;
	}
	if (vol_slurm_nodes_load(&all, why) < 0)
		return errno != EAGAIN;
	if (all.n_nodes)
		qsort(all.nodes, all.n_nodes, sizeof(*all.nodes), by_name);
	for (; job; job = next_patient(job->next)) {
		memcpy(node.name, job->wish.node, sizeof(node.name));
		note_check(job, all.n_nodes
					? bsearch(&node, all.nodes, all.n_nodes,
						  sizeof(node), by_name)
					: NULL);
	}
	vol_slurm_snapshot_clear(&all);
	return true;
}

/* The node as it is after a change that went well, without asking.  What
 * becomes of a node that was down is up to slurmctld. */
static void note_effect(struct vol_job *job)
{
	struct vol_answer *a = &job->answer;

	if (!job->checked || a->node.down) {
		a->looked = false;
		return;
	}
	a->node.drained = job->wish.action == VOL_ACT_DRAIN;
	snprintf(a->node.reason, sizeof(a->node.reason), "%s",
		 a->node.drained ? job->wish.text : "");
}

static bool work_one(struct vol_job *job)
{
	struct vol_answer *a = &job->answer;
	struct vol_error why = {""};

	a->error = 0;
	a->why = why;
	if (carry_out(&job->wish, &a->why) < 0)
		a->error = errno;
	if (a->error == EAGAIN)
		return false;
	job->done = true;
	note_effect(job);
	if (!a->error && a->looked)
		return true;
	a->looked = a->exists = false;
	if (vol_slurm_node_get(job->wish.node, &a->node, &why) == 0) {
		a->looked = a->exists = true;
	} else if (errno == ENOENT) {
		a->looked = true;
	} else if (errno == EAGAIN && job->wish.action == VOL_ACT_WAIT) {
		a->why = why; /* there was nothing but the look */
		job->done = false;
	}
	return job->done;
}

/* Changes that are the same call but for the node's name. */
static bool can_group(const struct vol_wish *a, const struct vol_wish *b)
{
	if (a->action != b->action)
		return false;
	switch (a->action) {
	case VOL_ACT_DOWN:
	case VOL_ACT_DRAIN:
		return strcmp(a->text, b->text) == 0;
	case VOL_ACT_RESUME:
		return true;
	default:
		return false;
	}
}

/* The next in the list after job that goes with first. */
static struct vol_job *next_alike(const struct vol_job *first,
				  struct vol_job *job)
{
	for (job = job->next; job; job = job->next)
		if (!job->done && !job->alone &&
		    can_group(&first->wish, &job->wish))
			return job;
	return NULL;
}

bool vol_work_group(struct vol_job *first, bool *view)
{
	cleanup_free char *names = NULL;
	struct vol_error why = {""};
	struct vol_job *job;
	char *end;
	size_t n = 1;

	*view = false;
	if (first->alone || !next_alike(first, first))
		return work_one(first);
	names = malloc(GROUP_MAX * VOL_NODE_NAME_SIZE);
	if (!names)
		return work_one(first);
	end = stpcpy(names, first->wish.node);
	for (job = next_alike(first, first); job && n < GROUP_MAX;
	     job = next_alike(first, job), n++) {
		*end++ = ',';
		end = stpcpy(end, job->wish.node);
	}
	if (change(names, &first->wish, &why) < 0) {
		if (errno != EAGAIN) {
			/* One bad apple: ask for each by itself, once. */
			for (job = next_alike(first, first); job;
			     job = next_alike(first, job))
				job->alone = true;
			return work_one(first);
		}
		first->answer.why = why;
		return false;
	}
	for (job = first; job && n > 0; job = next_alike(first, job), n--) {
		job->answer.error = 0; /* of an earlier try */
		job->done = true;
		note_effect(job);
		*view |= !job->answer.looked;
	}
	return true;
}
