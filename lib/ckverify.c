/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckverify.c - is a set of CRIU images what it should be, and harmless?
 *
 * Files are looked at in an order in which each one's references were read
 * before: the tree, filters, mounts, open files, then what is in them.
 */
#include "config.h"

#include "ckverify.h"

#include <errno.h>
#include <stdlib.h>

#include "ckverify_private.h"

enum {
	MUST = 1, /* exactly one file, of the whole set */
	ONE = 2,  /* exactly one entry */
	SOME = 4, /* at least one entry */
};

/* What is done with each kind; of a kind without a table entries only are
 * counted and found well-formed. */
struct check {
	enum vol_ckkind kind;
	unsigned int flags;
	const struct vol_ckrow *rows;
	vol_ckcheck_f check;
	int (*at_end)(struct vol_ckset *set, struct vol_error *err);
};

#define CHECK(_kind, _flags, _message, _check)               \
	{                                                    \
		.kind = VOL_CKKIND_##_kind, .flags = _flags, \
		.rows = vol_ck##_message##_rows,             \
		.check = vol_ckcheck_##_check,               \
	}
#define LAST(_kind, _flags, _message, _check, _end)                          \
	{                                                                    \
		.kind = VOL_CKKIND_##_kind, .flags = _flags,                 \
		.rows = vol_ck##_message##_rows,                             \
		.check = vol_ckcheck_##_check, .at_end = vol_ckcheck_##_end, \
	}
/* It decodes itself. */
#define OTHER(_kind, _flags, _check)                         \
	{                                                    \
		.kind = VOL_CKKIND_##_kind, .flags = _flags, \
		.check = vol_ckcheck_##_check,               \
	}
#define PAGEMAP(_kind)                                                     \
	{                                                                  \
		.kind = VOL_CKKIND_##_kind, .flags = SOME,                 \
		.check = vol_ckcheck_pagemap, .at_end = vol_ckcheck_pages, \
	}
/* The table says it all. */
#define KNOWN(_kind, _flags, _message)                       \
	{                                                    \
		.kind = VOL_CKKIND_##_kind, .flags = _flags, \
		.rows = vol_ck##_message##_rows,             \
	}
#define FORM(_kind)                        \
	{                                  \
		.kind = VOL_CKKIND_##_kind \
	}

static const struct check checks[] = {
	CHECK(INVENTORY, MUST | ONE, inventory, inventory),
	LAST(PSTREE, MUST | SOME, pstree, pstree, tree),
	CHECK(IDS, ONE, ids, ids),
	CHECK(SECCOMP, MUST | ONE, seccomp, seccomp),
	CHECK(USERNS, MUST | ONE, userns, userns),
	LAST(MOUNTS, MUST | SOME, mount, mount, mounts),
	LAST(FILES, MUST | SOME, file, file, files),
	LAST(CORE, ONE, core, core, threads),
	CHECK(FDINFO, 0, fdinfo, fdinfo),
	CHECK(FS, ONE, fs, fs),
	CHECK(MM, ONE, mm, mm),
	CHECK(GHOST, SOME, ghost, ghost),
	CHECK(REMAP, 0, remap, remap),
	CHECK(MEMFD, 0, memfd, memfd),
	CHECK(TTY_INFO, 0, ttyinfo, tty),
	CHECK(PIPES_DATA, 0, pipedata, pipe_data),
	CHECK(FIFO_DATA, 0, pipedata, pipe_data),
	CHECK(SK_QUEUES, 0, packet, packet),
	CHECK(NETDEV, 0, netdev, netdev),
	KNOWN(NETNS, ONE, netns),
	CHECK(PIDNS, 0, pidns, pidns),
	CHECK(IPC_SHM, 0, ipcshm, shm),
	CHECK(IPC_SEM, 0, ipcsem, sem),
	CHECK(IPC_MSG, 0, ipcqueue, queue),
	OTHER(TCP_STREAM, SOME, stream),
	PAGEMAP(PAGEMAP),
	PAGEMAP(PAGEMAP_SHMEM),
	FORM(IPC_VAR),
	FORM(UTSNS),
	FORM(TIMENS),
	FORM(TTY_DATA),
	KNOWN(FILELOCKS, 0, lock),
	FORM(CPUINFO),
	FORM(STATS),
};

static int order(const struct vol_ckname *a, const struct vol_ckname *b)
{
	if (a->pre != b->pre)
		return a->pre < b->pre ? -1 : 1;
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	return a->id == b->id ? 0 : a->id < b->id ? -1 : 1;
}

static int order_members(const void *a, const void *b)
{
	const struct vol_ckmember *x = a, *y = b;

	return order(&x->name, &y->name);
}

const struct vol_ckmember *vol_ckset_find_in(const struct vol_ckset *set,
					     unsigned int pre,
					     enum vol_ckkind kind, uint64_t id)
{
	struct vol_ckmember key = {
		.name = {.kind = kind, .pre = pre, .id = id}};

	return set->n_members ? bsearch(&key, set->member, set->n_members,
					sizeof(key), order_members)
			      : NULL;
}

const struct vol_ckmember *vol_ckset_find(const struct vol_ckset *set,
					  enum vol_ckkind kind, uint64_t id)
{
	return vol_ckset_find_in(set, 0, kind, id);
}

static int well_formed(struct vol_ckbytes message, struct vol_error *err)
{
	struct vol_ckfield f;
	int rc;

	while ((rc = vol_ckproto_next(&message, &f, err)) > 0)
		;
	return rc;
}

static int look_at_entry(struct vol_ckset *set, const struct check *c,
			 struct vol_ckentry *e, struct vol_error *err)
{
	struct vol_ckvalue value[VOL_CKROWS_MAX];

	e->rows = c->rows;
	e->value = value;
	if (c->rows ? vol_ckproto_decode(e->message, c->rows, value, err) < 0
		    : well_formed(e->message, err) < 0)
		return -1;
	/* What was written earlier is memory and nothing else. */
	if (!c->check || (e->member->name.pre && c->rows))
		return 0;
	return c->check(set, e, err);
}

static int look_at_entries(struct vol_ckset *set, const struct check *c,
			   const struct vol_ckmember *m, struct vol_error *err)
{
	struct vol_ckentries entries;
	struct vol_ckentry e = {.member = m, .entries = &entries};
	int rc;

	if (!m->input->data || m->input->bytes > SIZE_MAX)
		return vol_errorf_errno(err, EINVAL,
					"its bytes were not given");
	if (vol_ckentries_open(&entries, c->kind, m->input->data,
			       (size_t)m->input->bytes, err) < 0)
		return -1;
	while ((rc = vol_ckentries_next(&entries, &e.message, err)) > 0) {
		if (c->flags & ONE && entries.n > 1)
			return vol_errorf_errno(err, EBADMSG,
						"more than one entry");
		if (look_at_entry(set, c, &e, err) < 0)
			return vol_error_prefix(err, "entry %u", entries.n);
	}
	if (rc == 0 && c->flags & (ONE | SOME) && entries.n == 0)
		return vol_errorf_errno(err, EBADMSG, "no entry");
	return rc;
}

static int look_at_kind(struct vol_ckset *set, const struct check *c,
			struct vol_error *err)
{
	const char *name = vol_ckkind_name(c->kind);
	size_t n = 0;

	for (size_t i = 0; i < set->n_members; i++) {
		const struct vol_ckmember *m = &set->member[i];

		if (m->name.kind != c->kind)
			continue;
		n += m->name.pre == 0;
		if (look_at_entries(set, c, m, err) < 0)
			return vol_error_prefix(err, "%s", m->input->name);
	}
	if (c->flags & MUST && n != 1)
		return vol_errorf_errno(err, EBADMSG,
					"%zu images of %s, want 1", n, name);
	if (c->at_end && c->at_end(set, err) < 0)
		return vol_error_prefix(err, "%s", name);
	return 0;
}

static int take_members(struct vol_ckset *set, const struct vol_ckinput *input,
			size_t n, struct vol_error *err)
{
	set->member = n ? calloc(n, sizeof(*set->member)) : NULL;
	if (n && !set->member)
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < n; i++) {
		struct vol_ckmember *m = &set->member[set->n_members++];

		m->input = &input[i];
		if (vol_ckname_parse(input[i].name, &m->name, err) < 0) {
			errno = EPERM;
			return -1;
		}
		if (m->name.kind == VOL_CKKIND_PAGES && set->seen)
			set->seen->memory += input[i].bytes;
	}
	if (n)
		qsort(set->member, n, sizeof(*set->member), order_members);
	for (size_t i = 1; i < n; i++)
		if (order_members(&set->member[i - 1], &set->member[i]) == 0)
			return vol_errorf_errno(err, EBADMSG,
						"%s is there twice",
						set->member[i].input->name);
	return 0;
}

void vol_ckseen_clear(struct vol_ckseen *seen)
{
	int saved = errno;

	vol_ckmapped_clear(&seen->mapped);
	free(seen->opened);
	*seen = (struct vol_ckseen){.processes = 0};
	errno = saved;
}

int vol_ckverify(const struct vol_ckinput *input, size_t n,
		 const struct vol_ckwant *want, struct vol_ckseen *seen,
		 struct vol_error *err)
{
	struct vol_ckset *set = calloc(1, sizeof(*set));
	int saved, rc = -1;

	if (!set)
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	set->want = want;
	set->seen = seen;
	if (take_members(set, input, n, err) == 0)
		rc = 0;
	for (size_t i = 0; rc == 0 && i < sizeof(checks) / sizeof(checks[0]);
	     i++)
		rc = look_at_kind(set, &checks[i], err);
	if (rc == 0 && seen) {
		seen->processes = (uint32_t)set->n_processes;
		seen->threads = (uint32_t)set->n_threads;
	}
	saved = errno;
	free(set->member);
	free(set->process);
	free(set->thread);
	free(set->filter);
	free(set->mount);
	free(set->open);
	free(set->pages);
	free(set);
	errno = saved;
	return rc;
}
