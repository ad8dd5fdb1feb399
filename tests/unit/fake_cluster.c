/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fake_cluster.c - slurm/cluster.h without a Slurm: the nodes */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_cluster.h"
#include "fake_cluster_private.h"

#define NODES_MAX 2000

struct fake fake = {.lock = PTHREAD_MUTEX_INITIALIZER};
static struct vol_slurm_node nodes[NODES_MAX];
static size_t n_nodes, max_nodes;
static bool is_away, refuse_drains;

static char up[256]; /* partitions */
static bool closing_stalls;
static pthread_cond_t closing_goes_on = PTHREAD_COND_INITIALIZER;

void fake_cluster_reset(void)
{
	pthread_mutex_lock(&fake.lock);
	n_nodes = 0;
	max_nodes = 100;
	fake.updates = fake.rpcs = fake.hasty = fake.troubles = 0;
	is_away = refuse_drains = closing_stalls = false;
	strcpy(up, "fixed,volunteer");
	fake_jobs_reset();
	pthread_mutex_unlock(&fake.lock);
}

void fake_cluster_set_away(bool away)
{
	pthread_mutex_lock(&fake.lock);
	is_away = away;
	pthread_mutex_unlock(&fake.lock);
}

void fake_cluster_set_max(size_t max)
{
	pthread_mutex_lock(&fake.lock);
	max_nodes = max;
	pthread_mutex_unlock(&fake.lock);
}

static struct vol_slurm_node *find(const char *name)
{
	size_t i;

	for (i = 0; i < n_nodes; i++)
		if (strcmp(nodes[i].name, name) == 0)
			return &nodes[i];
	return NULL;
}

void fake_cluster_put(const struct vol_slurm_node *node)
{
	struct vol_slurm_node *n;

	pthread_mutex_lock(&fake.lock);
	n = find(node->name);
	if (!n && n_nodes < NODES_MAX)
		n = &nodes[n_nodes++];
	if (n)
		*n = *node;
	pthread_mutex_unlock(&fake.lock);
}

bool fake_cluster_get(const char *name, struct vol_slurm_node *node)
{
	struct vol_slurm_node *n;

	pthread_mutex_lock(&fake.lock);
	n = find(name);
	if (n)
		*node = *n;
	pthread_mutex_unlock(&fake.lock);
	return n != NULL;
}

void fake_cluster_register(const char *name)
{
	struct vol_slurm_node *n;

	pthread_mutex_lock(&fake.lock);
	n = find(name);
	if (n) {
		n->future = false;
		n->registered = true;
		strcpy(n->state, "IDLE+DYNAMIC_NORM");
	}
	pthread_mutex_unlock(&fake.lock);
}

static unsigned counter(const unsigned *which)
{
	unsigned n;

	pthread_mutex_lock(&fake.lock);
	n = *which;
	pthread_mutex_unlock(&fake.lock);
	return n;
}

unsigned fake_cluster_updates(void)
{
	return counter(&fake.updates);
}

unsigned fake_cluster_hasty_requeues(void)
{
	return counter(&fake.hasty);
}

void fake_cluster_trouble(unsigned n)
{
	pthread_mutex_lock(&fake.lock);
	fake.troubles = n;
	pthread_mutex_unlock(&fake.lock);
}

void fake_cluster_refuse_drains(bool refuse)
{
	pthread_mutex_lock(&fake.lock);
	refuse_drains = refuse;
	pthread_mutex_unlock(&fake.lock);
}

bool fake_nodes_drained(const char *names)
{
	bool drained = true;
	size_t i;

	for (i = 0; i < n_nodes; i++)
		if (vol_slurm_nodes_have(names, nodes[i].name))
			drained &= nodes[i].drained;
	return drained;
}

unsigned fake_cluster_rpcs(void)
{
	return counter(&fake.rpcs);
}

int vol_slurm_init(struct vol_error *err)
{
	(void)err;
	return 0;
}

void vol_slurm_fini(void)
{
}

const char *vol_slurm_version(void)
{
	return "00.00.0";
}

int fake_check_away(struct vol_error *err)
{
	fake.rpcs++;
	if (is_away)
		return vol_errorf_errno(err, EAGAIN, "slurmctld is away");
	return 0;
}

static int get(const char *name, struct vol_slurm_node *node,
	       struct vol_error *err)
{
	struct vol_slurm_node *n = find(name);

	if (fake_check_away(err) < 0)
		return -1;
	if (!n)
		return vol_errorf_errno(err, ENOENT, "no node %s", name);
	*node = *n;
	return 0;
}

int vol_slurm_node_get(const char *name, struct vol_slurm_node *node,
		       struct vol_error *err)
{
	int rc;

	pthread_mutex_lock(&fake.lock);
	rc = get(name, node, err);
	pthread_mutex_unlock(&fake.lock);
	return rc;
}

static int create(const char *name, const char *address,
		  const struct vol_facts *facts, struct vol_error *err)
{
	struct vol_slurm_node *n;

	if (fake_check_away(err) < 0)
		return -1;
	if (find(name))
		return vol_errorf_errno(err, EEXIST, "%s exists", name);
	if (n_nodes >= max_nodes)
		return vol_errorf_errno(err, ENOSPC, "%s: MaxNodeCount", name);
	n = &nodes[n_nodes++];
	memset(n, 0, sizeof(*n));
	snprintf(n->name, sizeof(n->name), "%s", name);
	snprintf(n->address, sizeof(n->address), "%s", address);
	strcpy(n->state, "FUTURE+DYNAMIC_NORM");
	vol_facts_features(facts, n->features, sizeof(n->features));
	n->sockets = facts->sockets;
	n->cores = facts->cores_per_socket;
	n->threads = facts->threads_per_core;
	n->memory_mb = facts->memory_mb;
	n->gpus = facts->gpus;
	n->dynamic = n->future = true;
	fake.updates++;
	return 0;
}

int vol_slurm_node_create(const char *name, const char *address,
			  const char *hostname, const struct vol_facts *facts,
			  struct vol_error *err)
{
	int rc;

	(void)hostname;
	pthread_mutex_lock(&fake.lock);
	rc = create(name, address, facts, err);
	pthread_mutex_unlock(&fake.lock);
	return rc;
}

int vol_slurm_nodes_create(const struct vol_slurm_new *list, size_t n,
			   const struct vol_facts *facts, struct vol_error *err)
{
	unsigned rpcs, updates;
	size_t i;
	int rc = 0;

	pthread_mutex_lock(&fake.lock);
	rpcs = fake.rpcs;
	updates = fake.updates;
	for (i = 0; i < n && rc == 0; i++)
		rc = create(list[i].name, list[i].address, facts, err);
	fake.rpcs = rpcs + 1;
	if (fake.updates != updates)
		fake.updates = updates + 1;
	pthread_mutex_unlock(&fake.lock);
	return rc;
}

static int delete (const char *name, struct vol_error *err)
{
	struct vol_slurm_node *n = find(name);

	if (fake_check_away(err) < 0)
		return -1;
	if (!n)
		return vol_errorf_errno(err, ENOENT, "no node %s", name);
	if (n->allocated)
		return vol_errorf_errno(err, EBUSY, "%s is busy", name);
	*n = nodes[--n_nodes];
	fake.updates++;
	return 0;
}

int vol_slurm_node_delete(const char *name, struct vol_error *err)
{
	int rc;

	pthread_mutex_lock(&fake.lock);
	rc = delete (name, err);
	pthread_mutex_unlock(&fake.lock);
	return rc;
}

static void update_one(struct vol_slurm_node *n,
		       const struct vol_slurm_update *u)
{
	if (u->address)
		snprintf(n->address, sizeof(n->address), "%s", u->address);
	if (u->features)
		snprintf(n->features, sizeof(n->features), "%s", u->features);
	if (u->comment)
		snprintf(n->comment, sizeof(n->comment), "%s", u->comment);
	if (u->reason)
		snprintf(n->reason, sizeof(n->reason), "%s", u->reason);
	if (u->down) {
		n->down = true;
		n->allocated = false;
		fake_jobs_requeue(n->name);
	}
	if (u->drain)
		n->drained = true;
	if (u->resume) {
		n->down = n->drained = false;
		*n->reason = '\0';
	}
}

static int update(const char *names, const struct vol_slurm_update *u,
		  struct vol_error *err)
{
	char *copy = strdup(names), *name, *save;
	struct vol_slurm_node *n;
	int rc = fake_check_away(err);

	if (!rc && u->drain && refuse_drains)
		rc = vol_errorf_errno(err, EIO, "no drain today");
	for (name = rc ? NULL : strtok_r(copy, ",", &save); name && !rc;
	     name = strtok_r(NULL, ",", &save)) {
		n = find(name);
		if (n)
			update_one(n, u);
		else
			rc = vol_errorf_errno(err, ENOENT, "no node %s", name);
	}
	fake.updates += rc == 0;
	free(copy);
	return rc;
}

int vol_slurm_node_update(const char *names, const struct vol_slurm_update *u,
			  struct vol_error *err)
{
	int rc;

	pthread_mutex_lock(&fake.lock);
	rc = update(names, u, err);
	pthread_mutex_unlock(&fake.lock);
	return rc;
}

static int load_nodes(struct vol_slurm_snapshot *s, struct vol_error *err)
{
	if (fake_check_away(err) < 0)
		return -1;
	s->nodes = calloc(n_nodes + 1, sizeof(*s->nodes));
	memcpy(s->nodes, nodes, n_nodes * sizeof(*s->nodes));
	s->n_nodes = n_nodes;
	return 0;
}

int vol_slurm_nodes_load(struct vol_slurm_snapshot *s, struct vol_error *err)
{
	int rc;

	pthread_mutex_lock(&fake.lock);
	rc = load_nodes(s, err);
	pthread_mutex_unlock(&fake.lock);
	return rc;
}

int vol_slurm_snapshot_load(struct vol_slurm_snapshot *s, struct vol_error *err)
{
	int rc;

	pthread_mutex_lock(&fake.lock);
	rc = load_nodes(s, err);
	if (rc == 0) {
		fake.rpcs++; /* the partitions */
		s->nodesets = calloc(1, sizeof(*s->nodesets));
		strcpy(s->nodesets[0], "lab");
		s->n_nodesets = 1;
	}
	pthread_mutex_unlock(&fake.lock);
	return rc;
}

void vol_slurm_snapshot_clear(struct vol_slurm_snapshot *s)
{
	free(s->nodes);
	free(s->nodesets);
	memset(s, 0, sizeof(*s));
}

int vol_slurm_identity(struct vol_slurm_identity *identity,
		       struct vol_error *err)
{
	int rc;

	pthread_mutex_lock(&fake.lock);
	rc = fake_check_away(err);
	pthread_mutex_unlock(&fake.lock);
	strcpy(identity->cluster, rc ? "" : "fake");
	identity->ctld_port = 6817;
	identity->booted = 1700000000;
	return rc;
}

/* ---- partitions ---- */

void fake_cluster_set_partitions(const char *list)
{
	pthread_mutex_lock(&fake.lock);
	snprintf(up, sizeof(up), "%s", list);
	pthread_mutex_unlock(&fake.lock);
}

/* Read by the test's thread while nobody changes it. */
const char *fake_cluster_partitions(void)
{
	return up;
}

void fake_cluster_stall_closing(bool stall)
{
	pthread_mutex_lock(&fake.lock);
	closing_stalls = stall;
	pthread_cond_broadcast(&closing_goes_on);
	pthread_mutex_unlock(&fake.lock);
}

int vol_slurm_partitions_up(char *list, size_t size, struct vol_error *err)
{
	int rc = 0;

	pthread_mutex_lock(&fake.lock);
	if (is_away)
		rc = vol_errorf_errno(err, EAGAIN, "away");
	else
		snprintf(list, size, "%s", up);
	pthread_mutex_unlock(&fake.lock);
	return rc;
}

static void without(const char *name)
{
	char before[sizeof(up)], *word, *save = NULL;
	size_t used = 0;

	memcpy(before, up, sizeof(before));
	*up = '\0';
	for (word = strtok_r(before, ",", &save); word;
	     word = strtok_r(NULL, ",", &save))
		if (strcmp(word, name) != 0)
			used += (size_t)snprintf(up + used, sizeof(up) - used,
						 "%s%s", used ? "," : "", word);
}

int vol_slurm_partition_set(const char *name, bool to_up, struct vol_error *err)
{
	size_t used;
	int rc = 0;

	pthread_mutex_lock(&fake.lock);
	while (!to_up && closing_stalls)
		pthread_cond_wait(&closing_goes_on, &fake.lock);
	if (is_away) {
		rc = vol_errorf_errno(err, EAGAIN, "away");
	} else {
		without(name);
		used = strlen(up);
		if (to_up)
			snprintf(up + used, sizeof(up) - used, "%s%s",
				 used ? "," : "", name);
	}
	pthread_mutex_unlock(&fake.lock);
	return rc;
}
