/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckretain.c - which checkpoints a store keeps */
#include "config.h"

#include "ckretain.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "units.h"

/* What is worth what, where room is needed: lowest goes first. */
enum worth {
	PREVIOUS,  /* there is a newer complete one */
	ORPHAN,    /* the newest, of a job that is not there any more */
	IN_FLIGHT, /* on its way */
	NEWEST,    /* of a job that is there */
};

struct item {
	struct vol_ckstored *it;
	enum worth worth;
};

/* Of one job the newest first. */
static int order_jobs(const void *a, const void *b)
{
	const struct vol_ckstored *x = ((const struct item *)a)->it;
	const struct vol_ckstored *y = ((const struct item *)b)->it;

	if (x->job != y->job)
		return x->job < y->job ? -1 : 1;
	if (x->restarts != y->restarts)
		return x->restarts > y->restarts ? -1 : 1;
	if (x->sequence != y->sequence)
		return x->sequence > y->sequence ? -1 : 1;
	/* The same twice: the one that is whole. */
	return (int)y->complete - (int)x->complete;
}

/* Least worth first, of those the oldest. */
static int order_worth(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	if (x->worth != y->worth)
		return x->worth < y->worth ? -1 : 1;
	if (x->it->when != y->it->when)
		return x->it->when < y->it->when ? -1 : 1;
	return order_jobs(a, b);
}

static void drop(struct vol_ckstored *it, enum vol_ckdrop why)
{
	if (!it->busy)
		it->drop = why;
}

static bool older_than(const struct vol_ckstored *it, int64_t now, uint32_t s)
{
	return now > it->when && now - it->when > (int64_t)s;
}

/* What each is worth, and what is worth nothing.  newer: complete ones of the
 * same job that are newer. */
static void judge(struct item *i, unsigned int newer,
		  const struct vol_ckretention *policy, int64_t now)
{
	struct vol_ckstored *it = i->it;

	it->drop = VOL_CKDROP_NO;
	if (!it->complete) {
		i->worth = IN_FLIGHT;
		if (newer > 0 || older_than(it, now, policy->broken_s))
			drop(it, VOL_CKDROP_BROKEN);
		return;
	}
	i->worth = newer > 0 ? PREVIOUS : it->live ? NEWEST : ORPHAN;
	if (newer > 1)
		drop(it, VOL_CKDROP_SUPERSEDED);
	else if (!it->live && older_than(it, now, policy->old_s))
		drop(it, VOL_CKDROP_OLD);
}

static void judge_all(struct item *item, size_t n,
		      const struct vol_ckretention *policy, int64_t now)
{
	unsigned int newer = 0;

	qsort(item, n, sizeof(*item), order_jobs);
	for (size_t i = 0; i < n; i++) {
		if (i == 0 || item[i].it->job != item[i - 1].it->job)
			newer = 0;
		judge(&item[i], newer, policy, now);
		newer += item[i].it->complete;
	}
}

static uint64_t add(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* Bytes that are kept; of one user or (NULL) of all. */
static uint64_t kept(const struct item *item, size_t n, const uint32_t *uid)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < n; i++)
		if (item[i].it->drop == VOL_CKDROP_NO &&
		    (!uid || item[i].it->uid == *uid))
			bytes = add(bytes, item[i].it->bytes);
	return bytes;
}

/* Drop until what is kept and what comes are within the quota; false when that
 * can not be.  item is in the order of worth. */
static bool make_room(struct item *item, size_t n, const uint32_t *uid,
		      uint64_t coming, uint64_t quota, enum vol_ckdrop why)
{
	uint64_t bytes = add(kept(item, n, uid), coming);

	/* An exact sum is not needed where no quota is that large. */
	for (size_t i = 0; i < n && bytes > quota; i++) {
		struct vol_ckstored *it = item[i].it;

		if (it->drop != VOL_CKDROP_NO || it->busy ||
		    item[i].worth > ORPHAN || (uid && it->uid != *uid))
			continue;
		it->drop = why;
		bytes = bytes == UINT64_MAX ? add(kept(item, n, uid), coming)
					    : bytes - it->bytes;
	}
	return bytes <= quota;
}

static int order_users(const void *a, const void *b)
{
	uint32_t x = ((const struct item *)a)->it->uid;
	uint32_t y = ((const struct item *)b)->it->uid;

	return x == y ? order_worth(a, b) : x < y ? -1 : 1;
}

/* Of each user. */
static void users_room(struct item *item, size_t n,
		       const struct vol_ckretention *policy)
{
	size_t from = 0;

	qsort(item, n, sizeof(*item), order_users);
	for (size_t i = 1; i <= n; i++) {
		if (i < n && item[i].it->uid == item[from].it->uid)
			continue;
		make_room(item + from, i - from, NULL, 0, policy->user_bytes,
			  VOL_CKDROP_USER);
		from = i;
	}
}

static int no_room(const char *whose, uint64_t quota, uint64_t bytes,
		   int errnum, struct vol_error *err)
{
	char a[32], b[32];

	return vol_errorf_errno(err, errnum,
				"%s of images do not fit into the %s of %s",
				vol_size_format(bytes, a, sizeof(a)),
				vol_size_format(quota, b, sizeof(b)), whose);
}

static void restore(struct item *item, size_t n, const enum vol_ckdrop *before)
{
	for (size_t i = 0; i < n; i++)
		item[i].it->drop = before[i];
}

/* The same again, with what comes: nothing is given up if it does not fit. */
static int admit(struct item *item, size_t n, enum vol_ckdrop *before,
		 const struct vol_ckretention *policy,
		 const struct vol_ckincoming *coming, struct vol_error *err)
{
	for (size_t i = 0; i < n; i++)
		before[i] = item[i].it->drop;
	if (!make_room(item, n, &coming->uid, coming->bytes, policy->user_bytes,
		       VOL_CKDROP_USER)) {
		restore(item, n, before);
		return no_room("its user", policy->user_bytes, coming->bytes,
			       EDQUOT, err);
	}
	if (!make_room(item, n, NULL, coming->bytes, policy->store_bytes,
		       VOL_CKDROP_STORE)) {
		restore(item, n, before);
		return no_room("the store", policy->store_bytes, coming->bytes,
			       ENOSPC, err);
	}
	return 0;
}

static int decide(struct item *item, size_t n, enum vol_ckdrop *before,
		  const struct vol_ckretention *policy, int64_t now,
		  const struct vol_ckincoming *coming, struct vol_error *err)
{
	judge_all(item, n, policy, now);
	users_room(item, n, policy);
	qsort(item, n, sizeof(*item), order_worth);
	make_room(item, n, NULL, 0, policy->store_bytes, VOL_CKDROP_STORE);
	return coming ? admit(item, n, before, policy, coming, err) : 0;
}

int vol_ckretain(struct vol_ckstored *list, size_t n,
		 const struct vol_ckretention *policy, int64_t now,
		 const struct vol_ckincoming *coming, struct vol_error *err)
{
	struct item *item = calloc(n + 1, sizeof(*item));
	enum vol_ckdrop *before = calloc(n + 1, sizeof(*before));
	int rc = -1;

	if (!item || !before) {
		vol_errorf_errno(err, ENOMEM, "out of memory");
	} else {
		for (size_t i = 0; i < n; i++)
			item[i].it = &list[i];
		rc = decide(item, n, before, policy, now, coming, err);
	}
	free(item);
	free(before);
	return rc;
}

const char *vol_ckdrop_word(enum vol_ckdrop drop)
{
	static const char *const words[] = {
		[VOL_CKDROP_NO] = "",
		[VOL_CKDROP_SUPERSEDED] = "superseded",
		[VOL_CKDROP_BROKEN] = "broken",
		[VOL_CKDROP_OLD] = "old",
		[VOL_CKDROP_USER] = "quota of its user",
		[VOL_CKDROP_STORE] = "quota of the store",
	};

	return words[drop];
}
