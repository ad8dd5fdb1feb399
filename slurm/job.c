/* SPDX-License-Identifier: GPL-2.0-or-later */
/* job.c - look up, requeue, change and cancel jobs
 *
 * Jobs are named by text: the calls that take it are the same in all releases,
 * and "7_3" means one task where 7 may mean the whole array.
 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <slurm/slurm_errno.h>

#include "internal.h"

/* A shell's exit status for a command that was killed. */
#define EXIT_KILLED (128 + SIGKILL)

/* Exported by libslurm, but declared in its private headers only. */
extern void slurm_free_job_array_resp(job_array_resp_msg_t *msg);

#define ID_SIZE 24

static const char *id_text(const struct vol_slurm_job *job, char *buf)
{
	if (job->het_id)
		snprintf(buf, ID_SIZE, "%u", job->het_id);
	else if (job->array_task != VOL_JOB_NO_TASK)
		snprintf(buf, ID_SIZE, "%u_%u", job->array_id, job->array_task);
	else
		snprintf(buf, ID_SIZE, "%u", job->id);
	return buf;
}

enum vol_job_state vol_slurm_job_state(uint32_t state)
{
	switch (state & JOB_STATE_BASE) {
	case JOB_PENDING:
		return VOL_JOB_PENDING;
	case JOB_RUNNING:
		return VOL_JOB_RUNNING;
	case JOB_SUSPENDED:
		return VOL_JOB_SUSPENDED;
	case JOB_FAILED:
		return VOL_JOB_FAILED;
	}
	return VOL_JOB_ENDED;
}

static int convert(const slurm_job_info_t *info, struct vol_slurm_job *job)
{
	int status = (int)info->exit_code;

	memset(job, 0, sizeof(*job));
	job->id = info->job_id;
	job->array_id = info->array_job_id;
	job->array_task = info->array_task_id == NO_VAL ? VOL_JOB_NO_TASK
							: info->array_task_id;
	job->het_id = info->het_job_id;
	job->state = vol_slurm_job_state(info->job_state);
	job->completing = info->job_state & JOB_COMPLETING;
	job->batch = info->batch_flag;
	job->requeue = info->requeue;
	job->held = job->state == VOL_JOB_PENDING && info->priority == 0;
	job->killed = (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) ||
		      (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_KILLED);
	job->priority = info->priority;
	job->nice = (int32_t)((int64_t)info->nice - NICE_OFFSET);
	job->limit_min = info->time_limit == INFINITE ? VOL_JOB_UNLIMITED
						      : info->time_limit;
	job->restarts = info->restart_cnt;
	job->user = info->user_id;
	snprintf(job->account, sizeof(job->account), "%s",
		 info->account ? info->account : "");
	job->start = info->start_time;
	job->end = info->end_time;
	job->eligible = info->eligible_time;
	job->submit = info->submit_time;
	job->nodes = strdup(info->nodes ? info->nodes : "");
	job->excluded = strdup(info->exc_nodes ? info->exc_nodes : "");
	if (job->nodes && job->excluded)
		return 0;
	vol_slurm_job_clear(job);
	return -1;
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
	struct vol_slurm_job fresh;
	job_info_msg_t *msg = NULL;
	char name[ID_SIZE];
	int rc = ENOENT;
	uint32_t i;

	snprintf(name, sizeof(name), "%u", id);
	errno = 0;
	if (slurm_load_job(&msg, id, SHOW_ALL) != SLURM_SUCCESS)
		return vol_slurm_fail(err, "load job", name);
	/* A number that is an array's too brings all its tasks. */
	for (i = 0; i < msg->record_count && rc == ENOENT; i++)
		if (msg->job_array[i].job_id == id)
			rc = convert(&msg->job_array[i], &fresh) < 0 ? ENOMEM
								     : 0;
	slurm_free_job_info_msg(msg);
	if (rc)
		return vol_errorf_errno(err, rc, "job %s: %s", name,
					rc == ENOMEM ? "out of memory"
						     : "not in the table");
	vol_slurm_job_clear(job);
	*job = fresh;
	return 0;
}

static int by_id(const void *a, const void *b)
{
	const struct vol_slurm_job *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

int vol_slurm_jobs_load(struct vol_slurm_jobs *jobs, struct vol_error *err)
{
	struct vol_slurm_jobs fresh = {NULL, 0};
	job_info_msg_t *msg = NULL;
	uint32_t i;

	errno = 0;
	if (slurm_load_jobs(0, &msg, SHOW_ALL) != SLURM_SUCCESS)
		return vol_slurm_fail(err, "load jobs", NULL);
	fresh.jobs = calloc(msg->record_count + 1, sizeof(*fresh.jobs));
	for (i = 0; fresh.jobs && i < msg->record_count; i++, fresh.n++)
		if (convert(&msg->job_array[i], &fresh.jobs[fresh.n]) < 0)
			break;
	i = msg->record_count;
	slurm_free_job_info_msg(msg);
	if (!fresh.jobs || fresh.n < i) {
		vol_slurm_jobs_clear(&fresh);
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	}
	qsort(fresh.jobs, fresh.n, sizeof(*fresh.jobs), by_id);
	vol_slurm_jobs_clear(jobs);
	*jobs = fresh;
	return 0;
}

void vol_slurm_jobs_clear(struct vol_slurm_jobs *jobs)
{
	size_t i;

	for (i = 0; i < jobs->n; i++)
		vol_slurm_job_clear(&jobs->jobs[i]);
	free(jobs->jobs);
	memset(jobs, 0, sizeof(*jobs));
}

struct vol_slurm_job *vol_slurm_jobs_find(const struct vol_slurm_jobs *jobs,
					  uint32_t id)
{
	struct vol_slurm_job key = {.id = id};

	if (!jobs->n)
		return NULL;
	return bsearch(&key, jobs->jobs, jobs->n, sizeof(key), by_id);
}

bool vol_slurm_nodes_have(const char *hostlist, const char *name)
{
	/* Once a pointer, now a structure. */
	__typeof__(slurm_hostlist_create("")) list;
	bool found;

	if (!*hostlist)
		return false;
	list = slurm_hostlist_create(hostlist);
	if (!list)
		return false;
	found = slurm_hostlist_find(list, name) >= 0;
	slurm_hostlist_destroy(list);
	return found;
}

/* What a call on a job said: an error of the whole, or of the first part. */
static int outcome(int rc, job_array_resp_msg_t *parts, const char *what,
		   const char *name, struct vol_error *err)
{
	int code = rc == SLURM_SUCCESS ? 0 : errno;
	uint32_t i;

	for (i = 0; parts && !code && i < parts->job_array_count; i++)
		code = (int)parts->error_code[i];
	if (parts)
		slurm_free_job_array_resp(parts);
	if (rc == SLURM_SUCCESS && !code)
		return 0;
	errno = code;
	return vol_slurm_fail(err, what, name);
}

int vol_slurm_job_requeue(const struct vol_slurm_job *job,
			  struct vol_error *err)
{
	job_array_resp_msg_t *parts = NULL;
	char id[ID_SIZE];
	int rc;

	errno = 0;
	rc = slurm_requeue2((char *)id_text(job, id), 0, &parts);
	return outcome(rc, parts, "requeue job", id, err);
}

int vol_slurm_job_cancel(const struct vol_slurm_job *job, struct vol_error *err)
{
	char id[ID_SIZE];
	int rc;

	errno = 0;
	rc = slurm_kill_job2(id_text(job, id), SIGKILL, 0, NULL);
	return outcome(rc, NULL, "cancel job", id, err);
}

int vol_slurm_job_notify(const struct vol_slurm_job *job, const char *text,
			 struct vol_error *err)
{
	char id[ID_SIZE];
	int rc;

	errno = 0;
	rc = slurm_notify_job(job->het_id ? job->het_id : job->id,
			      (char *)text);
	return outcome(rc, NULL, "notify job", id_text(job, id), err);
}

int vol_slurm_job_update(const struct vol_slurm_job *job,
			 const struct vol_slurm_job_update *u,
			 struct vol_error *err)
{
	job_array_resp_msg_t *parts = NULL;
	char id[ID_SIZE];
	job_desc_msg_t req;
	int rc;

	slurm_init_job_desc_msg(&req);
	req.job_id_str = (char *)id_text(job, id);
	if (u->begin_now)
		req.begin_time = time(NULL);
	if (u->release)
		req.priority = INFINITE;
	if (u->limit_min)
		req.time_limit = u->limit_min;
	if (u->nice)
		req.nice = (uint32_t)(NICE_OFFSET + (int64_t)*u->nice);
	req.exc_nodes = (char *)u->excluded;
	if (u->requeue)
		req.requeue = *u->requeue;
	errno = 0;
	rc = slurm_update_job2(&req, &parts);
	return outcome(rc, parts, "update job", id, err);
}
