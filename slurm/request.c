/* SPDX-License-Identifier: GPL-2.0-or-later */
/* request.c - what a job asks for and what nodes offer it */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <slurm/slurm_errno.h>

#include "internal.h"
#include "request.h"

/* Slurm's words, as squeue shows them; it does not export the function. */
static const struct {
	uint32_t number;
	const char *word;
} reasons[] = {
	{WAIT_NO_REASON, "None"},
	{WAIT_PRIORITY, "Priority"},
	{WAIT_DEPENDENCY, "Dependency"},
	{WAIT_RESOURCES, "Resources"},
	{WAIT_PART_NODE_LIMIT, "PartitionNodeLimit"},
	{WAIT_PART_TIME_LIMIT, "PartitionTimeLimit"},
	{WAIT_PART_CONFIG, "PartitionConfig"},
	{WAIT_PART_DOWN, "PartitionDown"},
	{WAIT_PART_INACTIVE, "PartitionInactive"},
	{WAIT_HELD, "JobHeldAdmin"},
	{WAIT_TIME, "BeginTime"},
	{WAIT_LICENSES, "Licenses"},
	{WAIT_RESERVATION, "Reservation"},
	{WAIT_NODE_NOT_AVAIL, "ReqNodeNotAvail"},
	{WAIT_HELD_USER, "JobHeldUser"},
	{FAIL_BAD_CONSTRAINTS, "BadConstraints"},
	{FAIL_LAUNCH, "JobLaunchFailure"},
	{FAIL_DOWN_NODE, "NodeDown"},
	{WAIT_CLEANING, "Cleaning"},
	{WAIT_DEP_INVALID, "DependencyNeverSatisfied"},
	{WAIT_ARRAY_TASK_LIMIT, "JobArrayTaskLimit"},
};

/* ---- jobs ---- */

/* What anybody may have written, made fit for a terminal. */
static char *text(const char *from)
{
	char *to = strdup(from ? from : ""), *p;

	for (p = to; p && *p; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	return to;
}

static char *reason_word(uint32_t number)
{
	char other[32];
	size_t i;

	for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].number == number)
			return strdup(reasons[i].word);
	snprintf(other, sizeof(other), "reason %u", number);
	return strdup(other);
}

static uint32_t count_hosts(const char *hostlist)
{
	__typeof__(slurm_hostlist_create("")) list;
	int n;

	if (!*hostlist)
		return 0;
	list = slurm_hostlist_create(hostlist);
	if (!list)
		return 0;
	n = slurm_hostlist_count(list);
	slurm_hostlist_destroy(list);
	return n > 0 ? (uint32_t)n : 0;
}

static char *gres_of(const slurm_job_info_t *info)
{
	const char *all[] = {info->tres_per_job, info->tres_per_node,
			     info->tres_per_socket, info->tres_per_task};
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i] && *all[i])
			return text(all[i]);
	return text("");
}

static void convert_numbers(const slurm_job_info_t *info,
			    struct vol_slurm_request *r)
{
	uint64_t memory = info->pn_min_memory;

	r->id = info->job_id;
	r->array_id = info->array_job_id;
	r->array_task = info->array_task_id == NO_VAL ? VOL_JOB_NO_TASK
						      : info->array_task_id;
	r->many_tasks = info->array_job_id && info->array_task_id == NO_VAL;
	r->state = vol_slurm_job_state(info->job_state);
	r->submit = info->submit_time;
	r->eligible = info->eligible_time;
	r->batch = info->batch_flag;
	r->deadline = info->deadline && info->deadline != NO_VAL;
	r->start = info->start_time;
	r->restarts = info->restart_cnt;
	r->limit_min = info->time_limit == INFINITE ? VOL_JOB_UNLIMITED
						    : info->time_limit;
	r->min_nodes = info->num_nodes;
	r->cpus_per_node = info->pn_min_cpus;
	if (memory & MEM_PER_CPU)
		memory = (memory & ~MEM_PER_CPU) *
			 (info->pn_min_cpus ? info->pn_min_cpus : 1);
	r->memory_mb = memory;
	r->exclusive = info->shared == 0;
}

static int convert(const slurm_job_info_t *info, struct vol_slurm_request *r)
{
	memset(r, 0, sizeof(*r));
	convert_numbers(info, r);
	r->nodes = text(info->nodes);
	r->required = text(info->req_nodes);
	r->excluded = text(info->exc_nodes);
	r->partitions = text(info->partition);
	r->features = text(info->features);
	r->gres = gres_of(info);
	r->reservation = text(info->resv_name);
	r->reason = reason_word(info->state_reason);
	r->detail = text(info->state_desc);
	if (r->nodes && r->required && r->excluded && r->partitions &&
	    r->features && r->gres && r->reservation && r->reason &&
	    r->detail) {
		r->n_required = count_hosts(r->required);
		return 0;
	}
	vol_slurm_request_clear(r);
	return -1;
}

void vol_slurm_request_clear(struct vol_slurm_request *r)
{
	free(r->nodes);
	free(r->required);
	free(r->excluded);
	free(r->partitions);
	free(r->features);
	free(r->gres);
	free(r->reservation);
	free(r->reason);
	free(r->detail);
	memset(r, 0, sizeof(*r));
}

static bool is_meant(const slurm_job_info_t *info, uint32_t id, uint32_t task)
{
	if (task == VOL_JOB_NO_TASK)
		return info->job_id == id;
	if (info->array_job_id != id)
		return false;
	if (info->array_task_id != NO_VAL)
		return info->array_task_id == task;
	return info->array_task_str &&
	       vol_slurm_tasks_have(info->array_task_str, task);
}

int vol_slurm_request_get(uint32_t id, uint32_t task,
			  struct vol_slurm_request *r, struct vol_error *err)
{
	const slurm_job_info_t *found = NULL;
	struct vol_slurm_request fresh;
	job_info_msg_t *msg = NULL;
	char name[32];
	int rc = ENOENT;
	uint32_t i;

	snprintf(name, sizeof(name), "%u", id);
	errno = 0;
	if (slurm_load_job(&msg, id, SHOW_ALL | SHOW_DETAIL) != SLURM_SUCCESS)
		return vol_slurm_fail(err, "load job", name);
	/* A task's own record says more than the one of all that wait. */
	for (i = 0; i < msg->record_count; i++)
		if (is_meant(&msg->job_array[i], id, task) &&
		    (!found || found->array_task_id == NO_VAL))
			found = &msg->job_array[i];
	if (found)
		rc = convert(found, &fresh) < 0 ? ENOMEM : 0;
	slurm_free_job_info_msg(msg);
	if (rc)
		return vol_errorf_errno(err, rc, "job %s: %s", name,
					rc == ENOMEM ? "out of memory"
						     : "not in the table");
	if (task != VOL_JOB_NO_TASK)
		fresh.many_tasks = false; /* one of them is meant */
	vol_slurm_request_clear(r);
	*r = fresh;
	return 0;
}

/* ---- nodes ---- */

static bool has_word(const char *list, const char *word, size_t len)
{
	size_t n;

	for (; list && *list; list += n + (list[n] == ',')) {
		n = strcspn(list, ",");
		if (n == len && strncmp(list, word, n) == 0)
			return true;
	}
	return false;
}

/* Is one of the job's partitions among the node's? */
static bool in_partition(const char *node, const char *job)
{
	size_t n;

	for (; *job; job += n + (job[n] == ',')) {
		n = strcspn(job, ",");
		if (has_word(node, job, n))
			return true;
	}
	return false;
}

static uint32_t cpus_used(const node_info_t *info)
{
	uint16_t used = 0;

#ifdef HAVE_NODE_INFO_T_ALLOC_CPUS
	used = info->alloc_cpus;
#elif defined(HAVE_NODE_INFO_T_SELECT_NODEINFO)
	slurm_get_select_nodeinfo(info->select_nodeinfo, SELECT_NODEDATA_SUBCNT,
				  NODE_STATE_ALLOCATED, &used);
#else
	(void)info;
#endif
	return used;
}

static void convert_node(const node_info_t *info,
			 const struct vol_slurm_request *r,
			 struct vol_slurm_offer *o)
{
	uint32_t state = info->node_state, base = state & NODE_STATE_BASE;
	struct vol_slurm_node node;

	vol_slurm_node_convert(info, &node);
	snprintf(o->name, sizeof(o->name), "%s", node.name);
	snprintf(o->features, sizeof(o->features), "%s", node.features);
	snprintf(o->reason, sizeof(o->reason), "%s", node.reason);
	o->weight = info->weight;
	o->cpus = info->cpus;
	o->cpus_used = cpus_used(info);
	o->memory_mb = info->real_memory;
	o->in_partition = in_partition(info->partitions, r->partitions);
	o->down = node.down;
	o->drained = node.drained;
	o->not_responding = node.not_responding;
	o->reserved = state & (NODE_STATE_RES | NODE_STATE_MAINT);
	o->full = base == NODE_STATE_ALLOCATED;
	o->shared = o->full || base == NODE_STATE_MIXED ||
		    (state & NODE_STATE_COMPLETING);
}

/* Once a pointer, now a structure. */
typedef __typeof__(slurm_hostlist_create("")) hostlist;

static hostlist list_of(const char *hosts)
{
	return *hosts ? slurm_hostlist_create(hosts) : NULL;
}

static void mark_named(const struct vol_slurm_request *r,
		       struct vol_slurm_offers *o)
{
	hostlist required = list_of(r->required);
	hostlist excluded = list_of(r->excluded);
	size_t i;

	for (i = 0; i < o->n; i++) {
		const char *name = o->list[i].name;

		o->list[i].required =
			required && slurm_hostlist_find(required, name) >= 0;
		o->list[i].excluded =
			excluded && slurm_hostlist_find(excluded, name) >= 0;
	}
	if (required)
		slurm_hostlist_destroy(required);
	if (excluded)
		slurm_hostlist_destroy(excluded);
}

int vol_slurm_offers_load(const struct vol_slurm_request *r,
			  struct vol_slurm_offers *o, struct vol_error *err)
{
	struct vol_slurm_offers fresh = {NULL, 0};
	partition_info_msg_t *parts = NULL;
	node_info_msg_t *msg = NULL;
	uint32_t i;

	errno = 0;
	if (slurm_load_partitions(0, &parts, SHOW_ALL) != SLURM_SUCCESS)
		return vol_slurm_fail(err, "load partitions", NULL);
	errno = 0;
	if (slurm_load_node(0, &msg, SHOW_ALL) != SLURM_SUCCESS) {
		vol_slurm_fail(err, "load nodes", NULL);
		slurm_free_partition_info_msg(parts);
		return -1;
	}
	slurm_populate_node_partitions(msg, parts);
	fresh.list = calloc(msg->record_count + 1, sizeof(*fresh.list));
	for (i = 0; fresh.list && i < msg->record_count; i++)
		if (msg->node_array[i].name) /* holes in the table are NULL */
			convert_node(&msg->node_array[i], r,
				     &fresh.list[fresh.n++]);
	slurm_free_node_info_msg(msg);
	slurm_free_partition_info_msg(parts);
	if (!fresh.list)
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	mark_named(r, &fresh);
	vol_slurm_offers_clear(o);
	*o = fresh;
	return 0;
}

void vol_slurm_offers_clear(struct vol_slurm_offers *o)
{
	free(o->list);
	memset(o, 0, sizeof(*o));
}
