/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fake_cluster.c - slurm/cluster.h without a Slurm: a node table in memory */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <time.h>

#include "fake_cluster.h"

#define NODES_MAX 2000
#define JOBS_MAX  2000

static _Atomic unsigned slow_ms, answers;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct vol_slurm_node nodes[NODES_MAX];
static size_t n_nodes, max_nodes;
static unsigned updates, rpcs;
static bool is_away;
static struct vol_slurm_job jobs[JOBS_MAX];
static size_t n_jobs;
static char notice[512];

void fake_cluster_reset(void)
{
	slow_ms = 0;
	pthread_mutex_lock(&lock);
	n_nodes = 0;
	while (n_jobs)
		vol_slurm_job_clear(&jobs[--n_jobs]);
	*notice = '\0';
	max_nodes = 100;
	updates = rpcs = 0;
	is_away = false;
	pthread_mutex_unlock(&lock);
}

void fake_cluster_set_away(bool away)
{
	pthread_mutex_lock(&lock);
	is_away = away;
	pthread_mutex_unlock(&lock);
}

void fake_cluster_set_max(size_t max)
{
	pthread_mutex_lock(&lock);
	max_nodes = max;
	pthread_mutex_unlock(&lock);
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

	pthread_mutex_lock(&lock);
	n = find(node->name);
	if (!n && n_nodes < NODES_MAX)
		n = &nodes[n_nodes++];
	if (n)
		*n = *node;
	pthread_mutex_unlock(&lock);
}

bool fake_cluster_get(const char *name, struct vol_slurm_node *node)
{
	struct vol_slurm_node *n;

	pthread_mutex_lock(&lock);
	n = find(name);
	if (n)
		*node = *n;
	pthread_mutex_unlock(&lock);
	return n != NULL;
}

void fake_cluster_register(const char *name)
{
	struct vol_slurm_node *n;

	pthread_mutex_lock(&lock);
	n = find(name);
	if (n) {
		n->future = false;
		n->registered = true;
		strcpy(n->state, "IDLE+DYNAMIC_NORM");
	}
	pthread_mutex_unlock(&lock);
}

static unsigned counter(const unsigned *which)
{
	unsigned n;

	pthread_mutex_lock(&lock);
	n = *which;
	pthread_mutex_unlock(&lock);
	return n;
}

unsigned fake_cluster_updates(void)
{
	return counter(&updates);
}

unsigned fake_cluster_rpcs(void)
{
	return counter(&rpcs);
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

/* With the lock held; leaves with it on failure too. */
static int check_away(struct vol_error *err)
{
	rpcs++;
	if (is_away)
		return vol_errorf_errno(err, EAGAIN, "slurmctld is away");
	return 0;
}

static int get(const char *name, struct vol_slurm_node *node,
	       struct vol_error *err)
{
	struct vol_slurm_node *n = find(name);

	if (check_away(err) < 0)
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

	pthread_mutex_lock(&lock);
	rc = get(name, node, err);
	pthread_mutex_unlock(&lock);
	return rc;
}

static int create(const char *name, const char *address,
		  const struct vol_facts *facts, struct vol_error *err)
{
	struct vol_slurm_node *n;

	if (check_away(err) < 0)
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
	updates++;
	return 0;
}

int vol_slurm_node_create(const char *name, const char *address,
			  const char *hostname, const struct vol_facts *facts,
			  struct vol_error *err)
{
	int rc;

	(void)hostname;
	pthread_mutex_lock(&lock);
	rc = create(name, address, facts, err);
	pthread_mutex_unlock(&lock);
	return rc;
}

static int delete (const char *name, struct vol_error *err)
{
	struct vol_slurm_node *n = find(name);

	if (check_away(err) < 0)
		return -1;
	if (!n)
		return vol_errorf_errno(err, ENOENT, "no node %s", name);
	if (n->allocated)
		return vol_errorf_errno(err, EBUSY, "%s is busy", name);
	*n = nodes[--n_nodes];
	updates++;
	return 0;
}

int vol_slurm_node_delete(const char *name, struct vol_error *err)
{
	int rc;

	pthread_mutex_lock(&lock);
	rc = delete (name, err);
	pthread_mutex_unlock(&lock);
	return rc;
}

static struct vol_slurm_job *find_job(uint32_t id)
{
	size_t i;

	for (i = 0; i < n_jobs; i++)
		if (jobs[i].id == id)
			return &jobs[i];
	return NULL;
}

static void job_left(struct vol_slurm_job *job)
{
	job->completing = false;
	*job->nodes = '\0';
	job->submit = time(NULL);
	job->start = job->submit + 121;
	if (job->priority > FAKE_AGE)
		job->priority -= FAKE_AGE;
	job->held = job->priority == 0;
}

static void requeue_all(const char *node)
{
	size_t i;

	for (i = 0; i < n_jobs; i++) {
		if (jobs[i].state != VOL_JOB_RUNNING ||
		    !vol_slurm_nodes_have(jobs[i].nodes, node))
			continue;
		jobs[i].state = VOL_JOB_PENDING;
		jobs[i].restarts++;
		job_left(&jobs[i]);
	}
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
		requeue_all(n->name);
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
	int rc = check_away(err);

	for (name = rc ? NULL : strtok_r(copy, ",", &save); name && !rc;
	     name = strtok_r(NULL, ",", &save)) {
		n = find(name);
		if (n)
			update_one(n, u);
		else
			rc = vol_errorf_errno(err, ENOENT, "no node %s", name);
	}
	updates += rc == 0;
	free(copy);
	return rc;
}

int vol_slurm_node_update(const char *names, const struct vol_slurm_update *u,
			  struct vol_error *err)
{
	int rc;

	pthread_mutex_lock(&lock);
	rc = update(names, u, err);
	pthread_mutex_unlock(&lock);
	return rc;
}

static int load_nodes(struct vol_slurm_snapshot *s, struct vol_error *err)
{
	if (check_away(err) < 0)
		return -1;
	s->nodes = calloc(n_nodes + 1, sizeof(*s->nodes));
	memcpy(s->nodes, nodes, n_nodes * sizeof(*s->nodes));
	s->n_nodes = n_nodes;
	return 0;
}

int vol_slurm_nodes_load(struct vol_slurm_snapshot *s, struct vol_error *err)
{
	int rc;

	pthread_mutex_lock(&lock);
	rc = load_nodes(s, err);
	pthread_mutex_unlock(&lock);
	return rc;
}

int vol_slurm_snapshot_load(struct vol_slurm_snapshot *s, struct vol_error *err)
{
	int rc;

	pthread_mutex_lock(&lock);
	rc = load_nodes(s, err);
	if (rc == 0) {
		rpcs++; /* the partitions */
		s->nodesets = calloc(1, sizeof(*s->nodesets));
		strcpy(s->nodesets[0], "lab");
		s->n_nodesets = 1;
	}
	pthread_mutex_unlock(&lock);
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

	pthread_mutex_lock(&lock);
	rc = check_away(err);
	pthread_mutex_unlock(&lock);
	strcpy(identity->cluster, rc ? "" : "fake");
	identity->ctld_port = 6817;
	identity->booted = 1700000000;
	return rc;
}

static void copy_job(struct vol_slurm_job *to, const struct vol_slurm_job *from)
{
	*to = *from;
	to->nodes = strdup(from->nodes ? from->nodes : "");
	to->excluded = strdup(from->excluded ? from->excluded : "");
}

void fake_cluster_put_job(const struct vol_slurm_job *job)
{
	struct vol_slurm_job *j;

	pthread_mutex_lock(&lock);
	j = find_job(job->id);
	if (j)
		vol_slurm_job_clear(j);
	else if (n_jobs < JOBS_MAX)
		j = &jobs[n_jobs++];
	copy_job(j, job);
	pthread_mutex_unlock(&lock);
}

bool fake_cluster_get_job(uint32_t id, struct vol_slurm_job *job)
{
	struct vol_slurm_job *j;

	pthread_mutex_lock(&lock);
	j = find_job(id);
	if (j) {
		vol_slurm_job_clear(job);
		copy_job(job, j);
	}
	pthread_mutex_unlock(&lock);
	return j != NULL;
}

void fake_cluster_job_left(uint32_t id)
{
	pthread_mutex_lock(&lock);
	job_left(find_job(id));
	pthread_mutex_unlock(&lock);
}

const char *fake_cluster_notice(void)
{
	return notice;
}

void vol_slurm_job_clear(struct vol_slurm_job *job)
{
	free(job->nodes);
	free(job->excluded);
	memset(job, 0, sizeof(*job));
}

int vol_slurm_job_get(uint32_t id, struct vol_slurm_job *job,
		      struct vol_error *err)
{
	struct vol_slurm_job *j;
	int rc;

	pthread_mutex_lock(&lock);
	rc = check_away(err);
	j = find_job(id);
	if (rc == 0 && !j)
		rc = vol_errorf_errno(err, ENOENT, "no job %u", id);
	if (rc == 0) {
		vol_slurm_job_clear(job);
		copy_job(job, j);
	}
	pthread_mutex_unlock(&lock);
	answers++;
	usleep(slow_ms * 1000);
	return rc;
}

void fake_cluster_set_slow(unsigned ms)
{
	slow_ms = ms;
}

unsigned fake_cluster_answers(void)
{
	return answers;
}

int vol_slurm_jobs_load(struct vol_slurm_jobs *all, struct vol_error *err)
{
	int rc;

	vol_slurm_jobs_clear(all);
	pthread_mutex_lock(&lock);
	rc = check_away(err);
	if (rc == 0) {
		all->jobs = calloc(n_jobs + 1, sizeof(*all->jobs));
		for (; all->n < n_jobs; all->n++)
			copy_job(&all->jobs[all->n], &jobs[all->n]);
	}
	pthread_mutex_unlock(&lock);
	return rc;
}

void vol_slurm_jobs_clear(struct vol_slurm_jobs *all)
{
	while (all->n)
		vol_slurm_job_clear(&all->jobs[--all->n]);
	free(all->jobs);
	all->jobs = NULL;
}

struct vol_slurm_job *vol_slurm_jobs_find(const struct vol_slurm_jobs *all,
					  uint32_t id)
{
	size_t i;

	/* Like the real one it wants them in order. */
	for (i = 0; i < all->n && all->jobs[i].id <= id; i++)
		if (all->jobs[i].id == id)
			return &all->jobs[i];
	return NULL;
}

/* Without ranges. */
bool vol_slurm_nodes_have(const char *hostlist, const char *name)
{
	size_t len = strlen(name), n;

	for (; *hostlist; hostlist += n + (hostlist[n] == ',')) {
		n = strcspn(hostlist, ",");
		if (n == len && strncmp(hostlist, name, n) == 0)
			return true;
	}
	return false;
}

static int requeue(struct vol_slurm_job *j, struct vol_error *err)
{
	if (check_away(err) < 0)
		return -1;
	if (!j)
		return vol_errorf_errno(err, ENOENT, "no such job");
	if (!j->batch || !j->requeue)
		return vol_errorf_errno(err, ENOTSUP, "requeue is disabled");
	if (j->state == VOL_JOB_PENDING)
		return vol_errorf_errno(err, EALREADY, "it is pending");
	updates++;
	j->restarts++;
	j->completing = j->state != VOL_JOB_FAILED;
	j->state = VOL_JOB_PENDING;
	if (!j->completing)
		job_left(j);
	return 0;
}

int vol_slurm_job_requeue(const struct vol_slurm_job *job,
			  struct vol_error *err)
{
	int rc;

	pthread_mutex_lock(&lock);
	rc = requeue(find_job(job->id), err);
	pthread_mutex_unlock(&lock);
	return rc;
}

int vol_slurm_job_cancel(const struct vol_slurm_job *job, struct vol_error *err)
{
	struct vol_slurm_job *j;
	int rc;

	pthread_mutex_lock(&lock);
	j = find_job(job->id);
	rc = check_away(err);
	if (rc == 0 && j) {
		j->state = VOL_JOB_ENDED;
		updates++;
	}
	pthread_mutex_unlock(&lock);
	return rc;
}

int vol_slurm_job_notify(const struct vol_slurm_job *job, const char *text,
			 struct vol_error *err)
{
	pthread_mutex_lock(&lock);
	(void)err, rpcs++;
	snprintf(notice, sizeof(notice), "%u: %s", job->id, text);
	pthread_mutex_unlock(&lock);
	return 0;
}

static int update_job(struct vol_slurm_job *j,
		      const struct vol_slurm_job_update *u,
		      struct vol_error *err)
{
	if (check_away(err) < 0)
		return -1;
	if (!j)
		return vol_errorf_errno(err, ENOENT, "no such job");
	if (u->begin_now && j->state != VOL_JOB_PENDING)
		return vol_errorf_errno(err, EIO, "job is not pending");
	updates++;
	if (u->begin_now)
		j->start = time(NULL);
	if (u->release) {
		j->held = false;
		j->priority = 1000;
	}
	if (u->limit_min)
		j->limit_min = u->limit_min;
	if (u->nice) {
		j->priority += (uint32_t)(j->nice - *u->nice);
		j->nice = *u->nice;
	}
	if (u->excluded) {
		free(j->excluded);
		j->excluded = strdup(u->excluded);
	}
	return 0;
}

int vol_slurm_job_update(const struct vol_slurm_job *job,
			 const struct vol_slurm_job_update *u,
			 struct vol_error *err)
{
	int rc;

	pthread_mutex_lock(&lock);
	rc = update_job(find_job(job->id), u, err);
	pthread_mutex_unlock(&lock);
	return rc;
}
