/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fake_cluster_jobs.c - slurm/cluster.h without a Slurm: the jobs */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fake_cluster.h"
#include "fake_cluster_private.h"

#define JOBS_MAX 2000

static _Atomic unsigned slow_ms, answers;
static struct vol_slurm_job jobs[JOBS_MAX];
static size_t n_jobs;
static char notice[512];

void fake_jobs_reset(void)
{
	slow_ms = 0;
	while (n_jobs)
		vol_slurm_job_clear(&jobs[--n_jobs]);
	*notice = '\0';
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

void fake_jobs_requeue(const char *node)
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

static void copy_job(struct vol_slurm_job *to, const struct vol_slurm_job *from)
{
	*to = *from;
	to->nodes = strdup(from->nodes ? from->nodes : "");
	to->excluded = strdup(from->excluded ? from->excluded : "");
}

void fake_cluster_put_job(const struct vol_slurm_job *job)
{
	struct vol_slurm_job *j;

	pthread_mutex_lock(&fake.lock);
	j = find_job(job->id);
	if (j)
		vol_slurm_job_clear(j);
	else if (n_jobs < JOBS_MAX)
		j = &jobs[n_jobs++];
	copy_job(j, job);
	pthread_mutex_unlock(&fake.lock);
}

bool fake_cluster_get_job(uint32_t id, struct vol_slurm_job *job)
{
	struct vol_slurm_job *j;

	pthread_mutex_lock(&fake.lock);
	j = find_job(id);
	if (j) {
		vol_slurm_job_clear(job);
		copy_job(job, j);
	}
	pthread_mutex_unlock(&fake.lock);
	return j != NULL;
}

void fake_cluster_job_left(uint32_t id)
{
	pthread_mutex_lock(&fake.lock);
	job_left(find_job(id));
	pthread_mutex_unlock(&fake.lock);
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

	pthread_mutex_lock(&fake.lock);
	rc = fake_check_away(err);
	j = find_job(id);
	if (rc == 0 && !j)
		rc = vol_errorf_errno(err, ENOENT, "no job %u", id);
	if (rc == 0) {
		vol_slurm_job_clear(job);
		copy_job(job, j);
	}
	pthread_mutex_unlock(&fake.lock);
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
	pthread_mutex_lock(&fake.lock);
	rc = fake_check_away(err);
	if (rc == 0) {
		all->jobs = calloc(n_jobs + 1, sizeof(*all->jobs));
		for (; all->n < n_jobs; all->n++)
			copy_job(&all->jobs[all->n], &jobs[all->n]);
	}
	pthread_mutex_unlock(&fake.lock);
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
	if (fake_check_away(err) < 0)
		return -1;
	if (!j)
		return vol_errorf_errno(err, ENOENT, "no such job");
	if (fake.troubles > 0) {
		fake.troubles--;
		return vol_errorf_errno(err, EBUSY, "in transition");
	}
	if (!j->batch || !j->requeue)
		return vol_errorf_errno(err, ENOTSUP, "requeue is disabled");
	if (j->state == VOL_JOB_PENDING)
		return vol_errorf_errno(err, EALREADY, "it is pending");
	fake.updates++;
	if (!fake_nodes_drained(j->nodes))
		fake.hasty++;
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

	pthread_mutex_lock(&fake.lock);
	rc = requeue(find_job(job->id), err);
	pthread_mutex_unlock(&fake.lock);
	return rc;
}

int vol_slurm_job_cancel(const struct vol_slurm_job *job, struct vol_error *err)
{
	struct vol_slurm_job *j;
	int rc;

	pthread_mutex_lock(&fake.lock);
	j = find_job(job->id);
	rc = fake_check_away(err);
	if (rc == 0 && j) {
		j->state = VOL_JOB_ENDED;
		fake.updates++;
	}
	pthread_mutex_unlock(&fake.lock);
	return rc;
}

int vol_slurm_job_notify(const struct vol_slurm_job *job, const char *text,
			 struct vol_error *err)
{
	pthread_mutex_lock(&fake.lock);
	(void)err, fake.rpcs++;
	snprintf(notice, sizeof(notice), "%u: %s", job->id, text);
	pthread_mutex_unlock(&fake.lock);
	return 0;
}

static int update_job(struct vol_slurm_job *j,
		      const struct vol_slurm_job_update *u,
		      struct vol_error *err)
{
	if (fake_check_away(err) < 0)
		return -1;
	if (!j)
		return vol_errorf_errno(err, ENOENT, "no such job");
	if (u->begin_now && j->state != VOL_JOB_PENDING)
		return vol_errorf_errno(err, EIO, "job is not pending");
	fake.updates++;
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

	pthread_mutex_lock(&fake.lock);
	rc = update_job(find_job(job->id), u, err);
	pthread_mutex_unlock(&fake.lock);
	return rc;
}
