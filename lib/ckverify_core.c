/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckverify_core.c - what a thread may do: ids, capabilities, filter, limits */
#include "config.h"

#include "ckverify_private.h"

#include <inttypes.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>

#include "text.h"

/* core_entry.march: of x86-64. */
#define MARCH 1
/* COMPEL_TASK_ALIVE, _DEAD, _STOPPED. */
#define ALIVE   1
#define DEAD    2
#define STOPPED 3
/* linux/seccomp.h */
#define MODE_FILTER 2

static int check_ids(const struct vol_ckset *set, const struct vol_ckvalue *v,
		     struct vol_error *err)
{
	static const int uids[] = {VOL_CKCREDS_uid, VOL_CKCREDS_euid,
				   VOL_CKCREDS_suid, VOL_CKCREDS_fsuid};
	static const int gids[] = {VOL_CKCREDS_gid, VOL_CKCREDS_egid,
				   VOL_CKCREDS_sgid, VOL_CKCREDS_fsgid};

	for (int i = 0; i < 4; i++)
		if (vol_ckequal(&vol_ckcreds_rows[uids[i]], &v[uids[i]],
				set->want->uid, err) < 0 ||
		    vol_ckequal(&vol_ckcreds_rows[gids[i]], &v[gids[i]],
				set->want->gid, err) < 0)
			return -1;
	return 0;
}

static int check_profile(const struct vol_ckvalue *profile,
			 struct vol_error *err)
{
	char excerpt[VOL_EXCERPT_SIZE];

	if (profile->n == 0)
		return 0;
	return vol_ckrefuse(err, "lsm_profile is %s, want none",
			    vol_text_excerpt(profile->bytes.at,
					     profile->bytes.len, excerpt));
}

#define CREDS(field) \
	VOL_CKROW(vol_ckcreds_rows, CREDS, field), &v[VOL_CKCREDS_##field]

static int check_creds(const struct vol_ckset *set, struct vol_ckbytes creds,
		       struct vol_error *err)
{
	static const int caps[] = {VOL_CKCREDS_cap_inh, VOL_CKCREDS_cap_prm,
				   VOL_CKCREDS_cap_eff, VOL_CKCREDS_cap_bnd,
				   VOL_CKCREDS_cap_amb};
	struct vol_ckvalue v[VOL_CKROWS_MAX];

	if (vol_ckproto_decode(creds, vol_ckcreds_rows, v, err) < 0 ||
	    check_ids(set, v, err) < 0)
		return -1;
	for (int i = 0; i < 5; i++)
		if (vol_ckzeros(creds, &vol_ckcreds_rows[caps[i]], err) < 0)
			return -1;
	if (vol_ckequal(CREDS(secbits), 0, err) < 0 ||
	    vol_cknone(CREDS(groups), err) < 0 ||
	    vol_ckequal(CREDS(no_new_privs), 1, err) < 0 ||
	    vol_cknone(CREDS(lsm_sockcreate), err) < 0 ||
	    vol_cknone(CREDS(apparmor_data), err) < 0)
		return -1;
	return check_profile(&v[VOL_CKCREDS_lsm_profile], err);
}

#define THREAD(field) \
	VOL_CKROW(vol_ckthread_rows, THREAD, field), &v[VOL_CKTHREAD_##field]

/* The owner's programs come first. */
static int check_scheduling(const struct vol_ckvalue *v, struct vol_error *err)
{
	int64_t policy = v[VOL_CKTHREAD_sched_policy].number;
	int64_t nice = v[VOL_CKTHREAD_sched_nice].number;

	if (policy != SCHED_OTHER && policy != SCHED_BATCH &&
	    policy != SCHED_IDLE)
		return vol_ckrefuse(err, "sched_policy is %" PRId64, policy);
	if (nice < 0 || nice > 19)
		return vol_ckrefuse(err, "sched_nice is %" PRId64, nice);
	return vol_ckequal_or_none(THREAD(sched_prio), 0, err);
}

/* A thread has a filter of its own, or all of its process have the first
 * one's. */
static int check_filter(struct vol_ckset *set, struct vol_ckthread *t,
			const struct vol_ckvalue *v, struct vol_error *err)
{
	const struct vol_ckchain *chain;
	int64_t i = v[VOL_CKTHREAD_seccomp_filter].number;

	t->bare = v[VOL_CKTHREAD_seccomp_mode].number == 0;
	if (t->bare && t->tid != t->pid)
		return vol_cknone(THREAD(seccomp_filter), err);
	if (t->bare)
		return vol_ckrefuse(err, "it has no seccomp filter");
	if (vol_ckequal(THREAD(seccomp_mode), MODE_FILTER, err) < 0)
		return -1;
	if (!v[VOL_CKTHREAD_seccomp_filter].n || i >= (int64_t)set->n_filters)
		return vol_ckrefuse(err, "there is no seccomp filter %" PRId64,
				    i);
	chain = &set->filter[i];
	if (!chain->ours)
		return vol_ckrefuse(err, "its first seccomp filter is not "
					 "ours");
	if (t->tid == t->pid)
		vol_ckset_process(set, t->pid)->filtered = chain->tsync;
	return 0;
}

static int check_thread(struct vol_ckset *set, struct vol_ckthread *t,
			struct vol_ckbytes thread, struct vol_error *err)
{
	struct vol_ckvalue v[VOL_CKROWS_MAX];

	if (vol_ckproto_decode(thread, vol_ckthread_rows, v, err) < 0)
		return -1;
	if (check_creds(set, v[VOL_CKTHREAD_creds].bytes, err) < 0)
		return vol_error_prefix(err, "creds");
	if (check_scheduling(v, err) < 0)
		return -1;
	return check_filter(set, t, v, err);
}

/* Of those that a device's owner sets, what they are called. */
static const char *limit_name(unsigned int i)
{
	return i == RLIMIT_NOFILE  ? " (open files)"
	       : i == RLIMIT_NPROC ? " (processes)"
				   : "";
}

static int check_limit(const struct vol_ckset *set, unsigned int i,
		       struct vol_ckbytes limit, struct vol_error *err)
{
	uint64_t most = i < VOL_CKLIMITS ? set->want->limit[i] : 0;
	struct vol_ckvalue v[VOL_CKROWS_MAX];
	uint64_t cur, max;

	if (vol_ckproto_decode(limit, vol_ckrlimit_rows, v, err) < 0)
		return -1;
	if (i >= VOL_CKLIMITS)
		return vol_ckrefuse(err, "more than %d of them", VOL_CKLIMITS);
	cur = (uint64_t)v[VOL_CKRLIMIT_cur].number;
	max = (uint64_t)v[VOL_CKRLIMIT_max].number;
	if (cur > max || max > most)
		return vol_ckrefuse(
			err, "limit %u%s is %" PRIu64 ", at most %" PRIu64, i,
			limit_name(i), cur > max ? cur : max, most);
	/* Of core files less is more: the machine's handler takes 0. */
	if (i == RLIMIT_CORE && (cur != most || max != most))
		return vol_ckrefuse(err,
				    "limit %u is %" PRIu64 ", want %" PRIu64, i,
				    cur, most);
	return 0;
}

static int check_limits(const struct vol_ckset *set, struct vol_ckbytes limits,
			struct vol_error *err)
{
	struct vol_ckvalue v[VOL_CKROWS_MAX];
	struct vol_ckfield f;
	unsigned int n = 0;

	if (vol_ckproto_decode(limits, vol_ckrlimits_rows, v, err) < 0)
		return -1;
	while (vol_ckproto_find(&limits, 1, &f))
		if (check_limit(set, n++, f.bytes, err) < 0)
			return -1;
	/* What is not there stays as CRIU has it: root's. */
	if (n != VOL_CKLIMITS)
		return vol_ckrefuse(err, "%u limits, want %d", n, VOL_CKLIMITS);
	return 0;
}

#define TASK(field) \
	VOL_CKROW(vol_cktask_rows, TASK, field), &v[VOL_CKTASK_##field]

static int check_oom(const struct vol_ckset *set, const struct vol_ckvalue *v,
		     struct vol_error *err)
{
	int64_t adj = v[VOL_CKTASK_oom_score_adj].number;

	if (!v[VOL_CKTASK_oom_score_adj].n || adj < set->want->oom_score_adj ||
	    adj > 1000)
		return vol_ckrefuse(err,
				    "oom_score_adj is %" PRId64
				    ", at least %" PRId32,
				    adj, set->want->oom_score_adj);
	return 0;
}

static int check_task(struct vol_ckset *set, struct vol_ckprocess *p,
		      struct vol_ckbytes task, struct vol_error *err)
{
	struct vol_ckvalue v[VOL_CKROWS_MAX];
	int64_t state;

	if (vol_ckproto_decode(task, vol_cktask_rows, v, err) < 0)
		return -1;
	state = v[VOL_CKTASK_task_state].number;
	p->dead = state == DEAD;
	if (p->dead)
		return p->pid == 1 ? vol_ckrefuse(err, "process 1 is dead") : 0;
	if (state != ALIVE && state != STOPPED)
		return vol_ckrefuse(err, "task_state is %" PRId64, state);
	/* From CRIU before 4.0, for all threads at once. */
	if (vol_cknone(TASK(old_seccomp_mode), err) < 0 ||
	    vol_cknone(TASK(old_seccomp_filter), err) < 0 ||
	    check_oom(set, v, err) < 0)
		return -1;
	if (!v[VOL_CKTASK_rlimits].n)
		return vol_ckrefuse(err, "it has no limits");
	if (check_limits(set, v[VOL_CKTASK_rlimits].bytes, err) < 0)
		return vol_error_prefix(err, "rlimits");
	return 0;
}

static int check_leader(struct vol_ckset *set, struct vol_ckprocess *p,
			const struct vol_ckvalue *core, struct vol_error *err)
{
	if (!core[VOL_CKCORE_tc].n)
		return vol_ckrefuse(err, "it has no tc");
	if (check_task(set, p, core[VOL_CKCORE_tc].bytes, err) < 0)
		return vol_error_prefix(err, "tc");
	if (p->dead)
		return 0;
	if (p->odd)
		return vol_ckrefuse(err,
				    "process %" PRIu32
				    " is none of its threads",
				    p->pid);
	if (!vol_ckset_find(set, VOL_CKKIND_IDS, p->pid) ||
	    !vol_ckset_find(set, VOL_CKKIND_MM, p->pid) ||
	    !vol_ckset_find(set, VOL_CKKIND_FS, p->pid))
		return vol_ckrefuse(err,
				    "process %" PRIu32
				    " lacks its ids, mm or fs image",
				    p->pid);
	return 0;
}

#define CORE(field) \
	VOL_CKROW(e->rows, CORE, field), &e->value[VOL_CKCORE_##field]

int vol_ckcheck_core(struct vol_ckset *set, struct vol_ckentry *e,
		     struct vol_error *err)
{
	struct vol_ckthread *t =
		vol_ckset_thread(set, (uint32_t)e->member->name.id);
	struct vol_ckprocess *p = t ? vol_ckset_process(set, t->pid) : NULL;

	if (!t || e->member->name.id != t->tid)
		return vol_ckrefuse(err, "there is no such thread");
	/* ids: CRIU writes an image of its own for them. */
	if (vol_ckequal(CORE(mtype), MARCH, err) < 0 ||
	    vol_cknone(CORE(ids), err) < 0)
		return -1;
	if (t->tid != t->pid && vol_cknone(CORE(tc), err) < 0)
		return -1;
	if (t->tid == t->pid && check_leader(set, p, e->value, err) < 0)
		return -1;
	if (t->tid == t->pid && p->dead)
		return 0;
	if (!e->value[VOL_CKCORE_thread_info].n ||
	    !e->value[VOL_CKCORE_thread_core].n)
		return vol_ckrefuse(err, "it has no thread_core");
	if (check_thread(set, t, e->value[VOL_CKCORE_thread_core].bytes, err) <
	    0)
		return vol_error_prefix(err, "thread_core");
	return 0;
}

int vol_ckcheck_threads(struct vol_ckset *set, struct vol_error *err)
{
	for (size_t i = 0; i < set->n_threads; i++) {
		const struct vol_ckthread *t = &set->thread[i];

		if (t->bare && !vol_ckset_process(set, t->pid)->filtered)
			return vol_ckrefuse(err,
					    "thread %" PRIu32
					    " has no seccomp filter",
					    t->tid);
	}
	return 0;
}
