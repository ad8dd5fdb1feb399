/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckretain.h - which checkpoints a store keeps; a decision over a list; pure
 *
 * Per job the newest complete one and the complete one before it are worth
 * something; what is newer and incomplete is on its way.  In this order go
 *
 *	superseded	complete, but two complete ones are newer
 *	broken		incomplete for longer than the policy waits, or older
 *			than a complete one
 *	old		of a job that is not there any more, after a while
 *	quota		of a user who has too much, then of all, until it fits:
 *			previous ones first, the oldest first; then the newest
 *			ones of jobs that are not there any more.
 *
 * The newest complete one of a job that is there never goes.
 */
#ifndef VOL_CKRETAIN_H
#define VOL_CKRETAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

enum vol_ckdrop {
	VOL_CKDROP_NO,
	VOL_CKDROP_SUPERSEDED,
	VOL_CKDROP_BROKEN,
	VOL_CKDROP_OLD,
	VOL_CKDROP_USER,  /* its user's quota */
	VOL_CKDROP_STORE, /* the store's */
};

struct vol_ckstored {
	uint32_t job;
	uint32_t restarts, sequence; /* higher is newer, in this order */
	uint32_t uid;
	uint64_t bytes;
	int64_t when;         /* when it was written last, seconds since 1970 */
	bool complete;        /* verified as a whole */
	bool live;            /* its job is pending, running or suspended */
	bool busy;            /* someone reads or writes it now: never goes */
	enum vol_ckdrop drop; /* the answer */
};

struct vol_ckretention {
	uint32_t old_s;       /* after a job's end */
	uint32_t broken_s;    /* without another byte */
	uint64_t user_bytes;  /* per user; UINT64_MAX: no quota */
	uint64_t store_bytes; /* of all */
};

/* For room: an image that is about to come. */
struct vol_ckincoming {
	uint32_t job, uid;
	uint64_t bytes;
};

/* Sets drop of each.  coming NULL: none.  0, or -1 with EDQUOT (the user's) or
 * ENOSPC (the store's) and a reason, when coming does not fit even so; drop is
 * then set as without it: what is there is not given up for what does not fit.
 * Quotas that are exceeded without it are no error.  Any order of list; 20000
 * entries take a few milliseconds. */
int vol_ckretain(struct vol_ckstored *list, size_t n,
		 const struct vol_ckretention *policy, int64_t now,
		 const struct vol_ckincoming *coming, struct vol_error *err);

/* "superseded", "broken", "old", "quota of its user", "quota of the store", ""
 */
const char *vol_ckdrop_word(enum vol_ckdrop drop);

#endif
