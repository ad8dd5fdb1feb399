/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rollback.c - a job's files, as they were when its image was made; pure */
#include "config.h"

#include "rollback.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

#define NS   UINT64_C(1000000000)
#define WORD ".volunteer-rolled-back."

/* Some file systems keep whole seconds, or two of them: a change in the same
 * one is not seen.  The clock of their server may be behind ours. */
#define COARSE_S 3600

static const char *const modes[] = {
	[VOL_ROLLBACK_SHARED] = "shared",
	[VOL_ROLLBACK_OPENED] = "opened",
	[VOL_ROLLBACK_OWN] = "own",
};

int vol_rollback_mode_parse(const char *text, int *mode, struct vol_error *err)
{
	char excerpt[VOL_EXCERPT_SIZE];

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (strcmp(text, modes[i]) == 0) {
			*mode = (int)i;
			return 0;
		}
	return vol_errorf_errno(err, EINVAL, "%s is not shared, opened or own",
				vol_text_excerpt(text, strlen(text), excerpt));
}

const char *vol_rollback_mode_name(int mode)
{
	return modes[mode];
}

/* ---- when the image is made ---- */

/* What is left of the limits. */
struct room {
	uint64_t copies, read;
};

static bool may_rewrite(const struct vol_rollback_entry *e, int mode,
			uint64_t since_ns)
{
	if (mode == VOL_ROLLBACK_SHARED)
		return false;
	if (e->opened != VOL_ROLLBACK_CLOSED)
		return e->opened == VOL_ROLLBACK_WRITE;
	return mode == VOL_ROLLBACK_OWN && e->ctime_ns >= since_ns;
}

bool vol_rollback_has_copy(const struct vol_rollback_entry *e)
{
	return e->how == VOL_ROLLBACK_COPY || e->how == VOL_ROLLBACK_TARGET;
}

/* Is there room for it as how? */
static bool take(struct vol_rollback_entry *e, int how, struct room *room)
{
	bool copy = how != VOL_ROLLBACK_SUM;

	if (e->length > room->read ||
	    (copy &&
	     (e->length > VOL_ROLLBACK_COPY_MAX || e->length > room->copies)))
		return false;
	room->read -= e->length;
	if (copy)
		room->copies -= e->length;
	e->how = how;
	return true;
}

/* Open ones first: their room is not for others. */
static int plan_opened(struct vol_rollback_entry *entry, size_t n, int mode,
		       struct room *room, struct vol_error *err)
{
	for (size_t i = 0; i < n; i++) {
		struct vol_rollback_entry *e = &entry[i];

		if (e->how != VOL_ROLLBACK_STAT ||
		    e->opened == VOL_ROLLBACK_CLOSED ||
		    (may_rewrite(e, mode, 0) &&
		     take(e, VOL_ROLLBACK_COPY, room)) ||
		    take(e, VOL_ROLLBACK_SUM, room))
			continue;
		return vol_errorf_errno(err, EFBIG,
					"%s: the job writes to it, and with "
					"its %" PRIu64 " bytes there is more "
					"than %" PRIu64
					" to be read for an image",
					e->path, e->length,
					(uint64_t)VOL_ROLLBACK_READ_MAX);
	}
	return 0;
}

int vol_rollback_plan(struct vol_rollback_entry *entry, size_t n, int mode,
		      uint64_t began_s, struct vol_error *err)
{
	struct room room = {.copies = VOL_ROLLBACK_COPIES_MAX,
			    .read = VOL_ROLLBACK_READ_MAX};
	uint64_t since_ns = began_s > VOL_ROLLBACK_SKEW_S
				    ? (began_s - VOL_ROLLBACK_SKEW_S) * NS
				    : 0;

	if (plan_opened(entry, n, mode, &room, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct vol_rollback_entry *e = &entry[i];

		if (e->how == VOL_ROLLBACK_STAT &&
		    e->opened == VOL_ROLLBACK_CLOSED &&
		    may_rewrite(e, mode, since_ns) &&
		    !take(e, VOL_ROLLBACK_COPY, &room))
			take(e, VOL_ROLLBACK_SUM, &room);
		if (e->how == VOL_ROLLBACK_LINK && mode == VOL_ROLLBACK_OWN)
			take(e, VOL_ROLLBACK_TARGET, &room);
	}
	return 0;
}

/* ---- when it is used ---- */

/* By its times alone.  Not for what was mapped: a write to a page that is dirty
 * already changes none. */
static bool proven(const struct vol_rollback_entry *e,
		   const struct vol_rollback_now *now, uint64_t moment_ns)
{
	bool fine = e->ctime_ns % NS != 0;

	return e->opened == VOL_ROLLBACK_CLOSED && now->mode == e->mode &&
	       now->length == e->length && now->mtime_ns == e->mtime_ns &&
	       now->ctime_ns == e->ctime_ns &&
	       e->ctime_ns + (fine ? 0 : COARSE_S * NS) < moment_ns;
}

static bool has_sum(const struct vol_rollback_entry *e)
{
	return e->how == VOL_ROLLBACK_SUM || e->how == VOL_ROLLBACK_COPY;
}

bool vol_rollback_reads(const struct vol_rollback_entry *e,
			const struct vol_rollback_now *now, uint64_t moment_ns)
{
	if (e->how == VOL_ROLLBACK_TARGET)
		return now->kind == VOL_ROLLBACK_IS_LINK;
	return now->kind == VOL_ROLLBACK_IS_FILE && has_sum(e) &&
	       now->length >= e->length && !proven(e, now, moment_ns);
}

static int refuse(const struct vol_rollback_entry *e, const char *reason,
		  struct vol_error *err)
{
	return vol_errorf_errno(err, ESTALE, "%s: %s", e->path, reason);
}

static int judge_folder(const struct vol_rollback_entry *e,
			const struct vol_rollback_now *now, int mode,
			struct vol_error *err)
{
	if (now->kind == VOL_ROLLBACK_IS_FOLDER)
		return VOL_ROLLBACK_KEEP;
	if (now->kind == VOL_ROLLBACK_IS_GONE && mode == VOL_ROLLBACK_OWN)
		return VOL_ROLLBACK_MAKE;
	return refuse(e, "was a folder when the job was saved", err);
}

/* What was changed is to be as it was. */
static int mend(const struct vol_rollback_entry *e, int act, int mode,
		struct vol_error *err)
{
	if (mode == VOL_ROLLBACK_SHARED)
		return refuse(
			e,
			"was changed since the job was saved, and who did "
			"it is not known (--volunteer-files)",
			err);
	return act;
}

static int judge_link(const struct vol_rollback_entry *e,
		      const struct vol_rollback_now *now, int mode,
		      uint64_t moment_ns, struct vol_error *err)
{
	bool link = now->kind == VOL_ROLLBACK_IS_LINK;

	if (e->how == VOL_ROLLBACK_TARGET)
		return link && now->length == e->length && now->sum == e->sum
			       ? VOL_ROLLBACK_KEEP
			       : mend(e, VOL_ROLLBACK_PUT, mode, err);
	return link && proven(e, now, moment_ns)
		       ? VOL_ROLLBACK_KEEP
		       : refuse(e, "was changed since the job was saved", err);
}

static int judge_file(const struct vol_rollback_entry *e,
		      const struct vol_rollback_now *now, int mode,
		      uint64_t moment_ns, struct vol_error *err)
{
	bool copy = e->how == VOL_ROLLBACK_COPY;

	if (now->kind == VOL_ROLLBACK_IS_GONE)
		return copy ? mend(e, VOL_ROLLBACK_PUT, mode, err)
			    : refuse(e, "is gone since the job was saved", err);
	if (now->kind != VOL_ROLLBACK_IS_FILE)
		return refuse(e, "was a file when the job was saved", err);
	if (proven(e, now, moment_ns))
		return VOL_ROLLBACK_KEEP;
	if (!has_sum(e))
		return refuse(e,
			      e->opened == VOL_ROLLBACK_CLOSED
				      ? "was changed since the job was saved, "
					"and the image does not have it"
				      : "the job had it open when it was "
					"saved, and the image does not have it",
			      err);
	if (now->length < e->length || now->sum != e->sum)
		return copy ? mend(e, VOL_ROLLBACK_PUT, mode, err)
			    : refuse(e,
				     "has lost what was in it when the job was "
				     "saved",
				     err);
	/* Looked at, say, or linked to.  One that need not be changed may be
	 * one that can not be. */
	if (now->length == e->length &&
	    (mode == VOL_ROLLBACK_SHARED ||
	     (now->mode == e->mode && now->mtime_ns == e->mtime_ns)))
		return VOL_ROLLBACK_KEEP;
	return mend(e, VOL_ROLLBACK_CUT, mode, err);
}

int vol_rollback_judge(const struct vol_rollback_entry *e,
		       const struct vol_rollback_now *now, int mode,
		       uint64_t moment_ns, struct vol_error *err)
{
	switch (e->how) {
	case VOL_ROLLBACK_FOLDER:
		return judge_folder(e, now, mode, err);
	case VOL_ROLLBACK_LINK:
	case VOL_ROLLBACK_TARGET:
		return judge_link(e, now, mode, moment_ns, err);
	case VOL_ROLLBACK_OTHER:
		return now->kind == VOL_ROLLBACK_IS_OTHER
			       ? VOL_ROLLBACK_KEEP
			       : refuse(e, "is gone since the job was saved",
					err);
	default:
		return judge_file(e, now, mode, moment_ns, err);
	}
}

void vol_rollback_aside(const char *name, uint32_t job, unsigned int n,
			char aside[NAME_MAX + 1])
{
	char end[64];
	int len;

	if (n > 0)
		len = snprintf(end, sizeof(end), WORD "%" PRIu32 ".%u", job, n);
	else
		len = snprintf(end, sizeof(end), WORD "%" PRIu32, job);
	snprintf(aside, NAME_MAX + 1, ".%.*s%s", NAME_MAX - 1 - len, name, end);
}

bool vol_rollback_is_aside(const char *name)
{
	return name[0] == '.' && strstr(name, WORD);
}
