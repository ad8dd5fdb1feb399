/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckverify_tree.c - the processes, and the namespaces they are in
 *
 * CRIU makes a namespace where a process has another number of it than its
 * parent, and shares memory, files, ... where it has the same.  The parent of
 * the first one is CRIU itself, whose numbers are in the inventory.
 */
#include "config.h"

#include <stdlib.h>

#include "ckverify_private.h"

/* Kernel's PID_MAX_LIMIT. */
#define PID_MAX 4194304

#define INVENTORY(field) \
	VOL_CKROW(e->rows, INVENTORY, field), &e->value[VOL_CKINVENTORY_##field]

int vol_ckcheck_inventory(struct vol_ckset *set, struct vol_ckentry *e,
			  struct vol_error *err)
{
	const struct vol_ckvalue *version =
		&e->value[VOL_CKINVENTORY_img_version];

	/* CRTOOLS_IMAGES_V1_1: each file with two magic numbers. */
	if (vol_ckequal(VOL_CKROW(e->rows, INVENTORY, img_version), version, 2,
			err) < 0)
		return -1;
	/* Plugins are code that CRIU loads. */
	if (e->value[VOL_CKINVENTORY_plugins].bytes.len > 0)
		return vol_ckrefuse(err, "it wants plugins of CRIU");
	if (vol_ckequal(INVENTORY(fdinfo_per_id), 1, err) < 0 ||
	    vol_ckequal(INVENTORY(ns_per_id), 1, err) < 0 ||
	    vol_ckequal_or_none(INVENTORY(allow_uprobes), 0, err) < 0)
		return -1;
	return vol_ckinner(INVENTORY(root_ids), vol_ckids_rows, set->outside,
			   err);
}

static int add_thread(struct vol_ckset *set, uint32_t tid, uint32_t pid,
		      struct vol_error *err)
{
	struct vol_ckthread *grown =
		vol_ckgrow(set->thread, set->n_threads, sizeof(*grown), err);

	if (!grown)
		return -1;
	set->thread = grown;
	if (tid == 0 || tid > PID_MAX)
		return vol_ckrefuse(err, "thread %u", tid);
	grown[set->n_threads++] = (struct vol_ckthread){.tid = tid, .pid = pid};
	return 0;
}

/* The first one is the process.  Of a zombie, which has but that one, CRIU
 * writes some number. */
static int add_threads(struct vol_ckset *set, struct vol_ckbytes message,
		       struct vol_ckprocess *p, struct vol_error *err)
{
	const struct vol_ckrow *row =
		VOL_CKROW(vol_ckpstree_rows, PSTREE, threads);
	struct vol_ckfield f;
	uint32_t n = 0;

	for (; vol_ckproto_find(&message, row->number, &f); n++) {
		uint32_t tid = n == 0 ? p->pid : (uint32_t)f.value;

		p->odd |= n == 0 && f.value != p->pid;
		if (add_thread(set, tid, p->pid, err) < 0)
			return -1;
	}
	if (n == 0 || (p->odd && n > 1))
		return vol_ckrefuse(err, "process %u is none of its threads",
				    p->pid);
	return 0;
}

int vol_ckcheck_pstree(struct vol_ckset *set, struct vol_ckentry *e,
		       struct vol_error *err)
{
	struct vol_ckprocess p = {
		.pid = (uint32_t)e->value[VOL_CKPSTREE_pid].number,
		.parent = (uint32_t)e->value[VOL_CKPSTREE_ppid].number,
		.order = e->entries->n,
	};
	struct vol_ckprocess *grown =
		vol_ckgrow(set->process, set->n_processes, sizeof(*grown), err);

	if (!grown)
		return -1;
	set->process = grown;
	if (p.pid == 0 || p.pid > PID_MAX)
		return vol_ckrefuse(err, "process %u", p.pid);
	/* The root, and pid 1 of its namespace. */
	if (p.order == 1 ? p.pid != 1 || p.parent != 0 : p.parent == 0)
		return vol_ckrefuse(err, "process %u has parent %u", p.pid,
				    p.parent);
	grown[set->n_processes++] = p;
	return add_threads(set, e->message, &grown[set->n_processes - 1], err);
}

static int order_processes(const void *a, const void *b)
{
	const struct vol_ckprocess *x = a, *y = b;

	return x->pid == y->pid ? 0 : x->pid < y->pid ? -1 : 1;
}

static int order_threads(const void *a, const void *b)
{
	const struct vol_ckthread *x = a, *y = b;

	return x->tid == y->tid ? 0 : x->tid < y->tid ? -1 : 1;
}

struct vol_ckprocess *vol_ckset_process(const struct vol_ckset *set,
					uint32_t pid)
{
	struct vol_ckprocess key = {.pid = pid};

	return set->n_processes ? bsearch(&key, set->process, set->n_processes,
					  sizeof(key), order_processes)
				: NULL;
}

struct vol_ckthread *vol_ckset_thread(const struct vol_ckset *set, uint32_t tid)
{
	struct vol_ckthread key = {.tid = tid};

	return set->n_threads ? bsearch(&key, set->thread, set->n_threads,
					sizeof(key), order_threads)
			      : NULL;
}

static int check_process(const struct vol_ckset *set,
			 const struct vol_ckprocess *p, struct vol_error *err)
{
	const struct vol_ckprocess *parent;

	if (p != set->process && p->pid == p[-1].pid)
		return vol_ckrefuse(err, "process %u is there twice", p->pid);
	if (p->pid == 1)
		return 0;
	/* As CRIU writes it; there are no circles then. */
	parent = vol_ckset_process(set, p->parent);
	if (!parent || parent->order >= p->order)
		return vol_ckrefuse(err,
				    "process %u has no parent %u before it",
				    p->pid, p->parent);
	return 0;
}

int vol_ckcheck_tree(struct vol_ckset *set, struct vol_error *err)
{
	qsort(set->process, set->n_processes, sizeof(*set->process),
	      order_processes);
	qsort(set->thread, set->n_threads, sizeof(*set->thread), order_threads);
	for (size_t i = 0; i < set->n_processes; i++)
		if (check_process(set, &set->process[i], err) < 0)
			return -1;
	for (size_t i = 1; i < set->n_threads; i++)
		if (set->thread[i].tid == set->thread[i - 1].tid)
			return vol_ckrefuse(err, "thread %u is there twice",
					    set->thread[i].tid);
	for (size_t i = 0; i < set->n_threads; i++)
		if (!vol_ckset_find(set, VOL_CKKIND_CORE, set->thread[i].tid))
			return vol_ckrefuse(err, "thread %u has no core image",
					    set->thread[i].tid);
	if (!vol_ckset_find(set, VOL_CKKIND_IDS, 1))
		return vol_ckrefuse(err, "process 1 has no ids image");
	return 0;
}

/* All of these are the job's own; what is before them may be shared among its
 * processes.  Its clocks need not be: they are no wall. */
static const int own[] = {
	VOL_CKIDS_pid_ns_id, VOL_CKIDS_net_ns_id, VOL_CKIDS_ipc_ns_id,
	VOL_CKIDS_uts_ns_id, VOL_CKIDS_mnt_ns_id, VOL_CKIDS_user_ns_id,
};
static const int objects[] = {
	VOL_CKIDS_vm_id,
	VOL_CKIDS_files_id,
	VOL_CKIDS_fs_id,
	VOL_CKIDS_sighand_id,
};
#define N(list) (sizeof(list) / sizeof((list)[0]))

static int check_own(const struct vol_ckvalue *ids,
		     const struct vol_ckvalue *out, int i,
		     struct vol_error *err)
{
	if (!ids[i].n || !out[i].n || ids[i].number == out[i].number)
		return vol_ckrefuse(err, "%s: it has none of its own",
				    vol_ckids_rows[i].name);
	return 0;
}

/* Nothing of CRIU's own may become the first process's. */
static int check_first(const struct vol_ckset *set,
		       const struct vol_ckvalue *ids, struct vol_error *err)
{
	const int net = VOL_CKIDS_net_ns_id;

	for (size_t i = 0; i < N(own); i++)
		if ((own[i] != net || !set->want->in_net) &&
		    check_own(ids, set->outside, own[i], err) < 0)
			return -1;
	for (size_t i = 0; i < N(objects); i++)
		if (check_own(ids, set->outside, objects[i], err) < 0)
			return -1;
	if (!set->want->in_net)
		return 0;
	return vol_ckequal(&vol_ckids_rows[net], &ids[net],
			   set->outside[net].number, err);
}

static int check_other(const struct vol_ckset *set,
		       const struct vol_ckvalue *ids, struct vol_error *err)
{
	const int time = VOL_CKIDS_time_ns_id;

	for (size_t i = 0; i < N(own); i++)
		if (vol_ckequal(&vol_ckids_rows[own[i]], &ids[own[i]],
				set->inside[own[i]].number, err) < 0)
			return -1;
	if (ids[time].n != set->inside[time].n ||
	    ids[time].number != set->inside[time].number)
		return vol_ckrefuse(err, "time_ns_id is not that of process 1");
	return 0;
}

int vol_ckcheck_ids(struct vol_ckset *set, struct vol_ckentry *e,
		    struct vol_error *err)
{
	const int cgroup = VOL_CKIDS_cgroup_ns_id;

	if (!vol_ckset_process(set, (uint32_t)e->member->name.id))
		return vol_ckrefuse(err, "there is no such process");
	if (set->outside[cgroup].n &&
	    vol_ckequal_or_none(&e->rows[cgroup], &e->value[cgroup],
				set->outside[cgroup].number, err) < 0)
		return -1;
	if (e->member->name.id != 1)
		return check_other(set, e->value, err);
	for (int i = 0; i < VOL_CKIDS_FIELDS; i++)
		set->inside[i] = e->value[i];
	return check_first(set, e->value, err);
}
