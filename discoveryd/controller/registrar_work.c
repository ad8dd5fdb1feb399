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
	else if ((vol_node_held(node, false) &&
		  !(job->wish.action == VOL_ACT_DRAIN &&
		    vol_node_unwalled(node, job->wish.text))) ||
		 (job->wish.action == VOL_ACT_RESUME && !node->drained &&
		  !node->down))
		a->error = ESTALE;
	if (job->wish.action == VOL_ACT_WAIT) {
		a->error = 0;
		job->done = true;
		return;
	}
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

/* All nodes, by name. */
static int load_sorted(struct vol_slurm_snapshot *all, struct vol_error *err)
{
	if (vol_slurm_nodes_load(all, err) < 0)
		return -1;
	if (all->n_nodes)
		qsort(all->nodes, all->n_nodes, sizeof(*all->nodes), by_name);
	return 0;
}

static const struct vol_slurm_node *find(const struct vol_slurm_snapshot *all,
					 const char *name)
{
	struct vol_slurm_node key;

	if (!all->n_nodes)
		return NULL;
	snprintf(key.name, sizeof(key.name), "%s", name);
	return bsearch(&key, all->nodes, all->n_nodes, sizeof(key), by_name);
}

/* Many looks are cheaper in one reading of the table. */
#define SINGLE_LOOKS 8

static struct vol_job *next_to_check(struct vol_job *job)
{
	while (job && (job->done || !(vol_work_is_patient(job) ||
				      job->wish.action == VOL_ACT_WAIT)))
		job = job->next;
	return job;
}

static bool check_each(struct vol_job *job, struct vol_error *why)
{
	struct vol_slurm_node node;
	int rc;

	for (; job; job = next_to_check(job->next)) {
		rc = vol_slurm_node_get(job->wish.node, &node, why);
		if (rc < 0 && errno == EAGAIN)
			return false;
		if (rc == 0 || errno == ENOENT)
			note_check(job, rc == 0 ? &node : NULL);
	}
	return true;
}

bool vol_work_check(struct vol_job *list, struct vol_error *why)
{
	struct vol_slurm_snapshot all = VOL_SLURM_SNAPSHOT_INIT;
	struct vol_job *first = next_to_check(list), *job;
	size_t n = 0;

	for (job = first; job && n <= SINGLE_LOOKS; n++)
		job = next_to_check(job->next);
	if (n <= SINGLE_LOOKS)
		return check_each(first, why);
	if (load_sorted(&all, why) < 0)
		return errno != EAGAIN;
	for (job = first; job; job = next_to_check(job->next))
		note_check(job, find(&all, job->wish.node));
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
	case VOL_ACT_CREATE:
		return vol_facts_equal(&a->facts, &b->facts);
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
	if (!can_group(&first->wish, &first->wish))
		return NULL;
	for (job = job->next; job; job = job->next)
		if (!job->done && !job->alone &&
		    can_group(&first->wish, &job->wish))
			return job;
	return NULL;
}

/* ---- many nodes that are made at once ---- */

/* Leave those whose names are in use to themselves.  The rest into nodes and
 * jobs; how many. */
static size_t collect_new(struct vol_job *first,
			  const struct vol_slurm_snapshot *all,
			  struct vol_slurm_new *nodes, struct vol_job **jobs)
{
	struct vol_job *job, *next;
	size_t n = 0;

	for (job = first; job && n < GROUP_MAX; job = next) {
		next = next_alike(first, job);
		if (find(all, job->wish.node)) {
			job->alone = true;
			continue;
		}
		nodes[n].name = job->wish.node;
		nodes[n].address = job->wish.address;
		nodes[n].hostname = job->wish.hostname;
		jobs[n++] = job;
	}
	return n;
}

/* What is there now was made; what is not is tried by itself. */
static void note_new(struct vol_job **jobs, size_t n,
		     const struct vol_slurm_snapshot *all)
{
	const struct vol_slurm_node *node;
	size_t i;

	for (i = 0; i < n; i++) {
		struct vol_answer *a = &jobs[i]->answer;

		node = all ? find(all, jobs[i]->wish.node) : NULL;
		jobs[i]->alone = !node;
		if (!node)
			continue;
		a->error = 0;
		a->looked = a->exists = true;
		a->node = *node;
		jobs[i]->done = true;
	}
}

/* As vol_work_group. */
static bool create_together(struct vol_job *first)
{
	struct vol_slurm_snapshot all = VOL_SLURM_SNAPSHOT_INIT;
	cleanup_free struct vol_slurm_new *nodes =
		calloc(GROUP_MAX, sizeof(*nodes));
	cleanup_free struct vol_job **jobs =
		calloc(GROUP_MAX, sizeof(struct vol_job *));
	struct vol_error why = {""};
	size_t n = 0;
	bool made = false;
	int rc;

	if (!nodes || !jobs)
		return work_one(first);
	rc = load_sorted(&all, &why);
	if (rc == 0) {
		n = collect_new(first, &all, nodes, jobs);
		vol_slurm_snapshot_clear(&all);
	}
	if (n > 0) {
		rc = vol_slurm_nodes_create(nodes, n, &first->wish.facts, &why);
		made = rc == 0;
	}
	if (made)
		rc = load_sorted(&all, &why);
	/* Made, and then it was away: they are found in use when it is back,
	 * and the answer is a look. */
	if (rc < 0 && errno == EAGAIN) {
		first->answer.why = why;
		return false;
	}
	note_new(jobs, n, rc == 0 ? &all : NULL);
	vol_slurm_snapshot_clear(&all);
	return first->done || work_one(first);
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
	if (first->wish.action == VOL_ACT_CREATE)
		return create_together(first);
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
