/* SPDX-License-Identifier: GPL-2.0-or-later */
/* store_room.c - which images make room for others */
#include "config.h"

#include "store_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "ckretain.h"
#include "cleanup.h"
#include "log.h"
#include "units.h"

/* Ends of jobs are vol_store_sweep's matter. */
static void fill_policy(const struct vol_store *s,
			struct vol_ckretention *policy)
{
	const struct vol_store_limits *l = &s->limits;

	policy->old_s = policy->broken_s = UINT32_MAX;
	policy->user_bytes = l->user_quota ? l->user_quota : UINT64_MAX;
	policy->store_bytes = l->quota ? l->quota : UINT64_MAX;
}

static void fill(struct vol_ckstored *it, const struct vol_store_entry *e)
{
	*it = (struct vol_ckstored){
		.job = e->image.head.job,
		/* Numbers go upwards through all runs of a job, and are known
		 * of damaged ones as well. */
		.sequence = e->image.head.number,
		.uid = e->image.head.uid,
		.bytes = e->room,
		.when = e->image.head.made,
		.complete = e->image.state == VOL_STORE_WHOLE,
		.live = e->image.live,
		.busy = e->image.state == VOL_STORE_COMING,
	};
}

static void drop_all(struct vol_store *s, const struct vol_ckstored *list)
{
	struct vol_error err;

	for (size_t i = s->n; i-- > 0;) {
		struct vol_store_entry *e = &s->entries[i];

		if (list[i].drop == VOL_CKDROP_NO)
			continue;
		vol_info("image %u of job %u goes: %s", list[i].sequence,
			 list[i].job, vol_ckdrop_word(list[i].drop));
		if (vol_store_drop(s, e, &err) < 0)
			vol_err("%s", err.text);
	}
}

static int decide(struct vol_store *s, const struct vol_ckincoming *coming,
		  struct vol_error *err)
{
	struct vol_ckretention policy;
	cleanup_free struct vol_ckstored *list =
		calloc(s->n + 1, sizeof(*list));
	int rc;

	if (!list)
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < s->n; i++)
		fill(&list[i], &s->entries[i]);
	fill_policy(s, &policy);
	rc = vol_ckretain(list, s->n, &policy, time(NULL), coming, err);
	/* Nothing is given up for what does not fit. */
	if (rc == 0)
		drop_all(s, list);
	return rc;
}

void vol_store_retain(struct vol_store *s)
{
	struct vol_error err;

	if (decide(s, NULL, &err) < 0)
		vol_err("images: %s", err.text);
}

static int fit(struct vol_store *s, const struct vol_image_head *what,
	       uint64_t more, struct vol_error *err)
{
	struct vol_ckincoming coming = {what->job, what->uid, more};
	struct vol_error why;

	if (decide(s, &coming, &why) == 0)
		return 0;
	return vol_errorf(err, "job %u of user %u: %s (%s); older images stay",
			  (unsigned)what->job, (unsigned)what->uid, why.text,
			  errno == EDQUOT ? "checkpoint_user_quota"
					  : "checkpoint_quota");
}

int vol_store_check_disk(const struct vol_store *s, uint64_t more,
			 struct vol_error *err)
{
	struct statvfs fs;
	char free_text[32], want[32];
	uint64_t left;

	if (statvfs(s->dir, &fs) < 0)
		return vol_errorf(err, "%s: %s", s->dir, strerror(errno));
	left = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (left >= more + VOL_STORE_SPARE)
		return 0;
	return vol_errorf_errno(
		err, ENOSPC,
		"the disk of %.100s is full: %s are free, an image takes %s "
		"more and %uM are for other things; older images stay",
		s->dir, vol_size_format(left, free_text, sizeof(free_text)),
		vol_size_format(more, want, sizeof(want)),
		VOL_STORE_SPARE / 1024 / 1024);
}

/* The oldest image of a job that is not its newest whole one. */
static struct vol_store_entry *superfluous(struct vol_store *s, uint32_t job)
{
	struct vol_store_entry *found = NULL;
	bool whole = false;

	for (size_t i = s->n; i-- > 0;) {
		struct vol_store_entry *e = &s->entries[i];

		if (e->image.head.job != job ||
		    e->image.state == VOL_STORE_COMING)
			continue;
		if (whole)
			found = e;
		whole |= e->image.state == VOL_STORE_WHOLE;
	}
	return found;
}

int vol_store_make_room(struct vol_store *s, const struct vol_image_head *what,
			uint64_t more, struct vol_error *err)
{
	struct vol_store_entry *e;
	struct vol_error ignored;

	if (fit(s, what, more, err) < 0)
		return -1;
	while (vol_store_check_disk(s, more, err) < 0) {
		int saved = errno;

		e = superfluous(s, what->job);
		if (!e || vol_store_drop(s, e, &ignored) < 0) {
			errno = saved;
			return -1;
		}
	}
	return 0;
}
