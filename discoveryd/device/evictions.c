/* SPDX-License-Identifier: GPL-2.0-or-later */
/* evictions.c - the jobs that are to start elsewhere, and what came of it */
#include "config.h"

#include "device/evictions.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "atomicfile.h"
#include "cleanup.h"
#include "text.h"

#define KEPT " kept"
/* "4294967294 kept\n" */
#define LINE_SIZE 16
/* More jobs than a desktop ever runs at once. */
#define FILE_MAX_BYTES (64 * 1024)

static struct vol_eviction *find(const struct vol_evictions *e, uint32_t job)
{
	for (size_t i = 0; i < e->n; i++)
		if (e->list[i].job == job)
			return &e->list[i];
	return NULL;
}

static struct vol_eviction *find_or_add(struct vol_evictions *e, uint32_t job)
{
	struct vol_eviction *x = find(e, job), *grown;
	size_t size = e->size ? 2 * e->size : 8;

	if (x)
		return x;
	if (e->n == e->size) {
		grown = realloc(e->list, size * sizeof(*grown));
		if (!grown)
			return NULL;
		e->list = grown;
		e->size = size;
	}
	x = &e->list[e->n++];
	*x = (struct vol_eviction){.job = job};
	return x;
}

void vol_evictions_clear(struct vol_evictions *e)
{
	free(e->list);
	memset(e, 0, sizeof(*e));
}

int vol_evictions_want(struct vol_evictions *e, uint32_t job, bool exclude,
		       bool force, const char *why)
{
	struct vol_eviction *x = find_or_add(e, job);

	if (!x)
		return -1;
	/* What was refused without force may be granted with it. */
	if (!x->granted && ((force && !x->force) || (exclude && !x->exclude))) {
		x->asked = x->refused = false;
		x->report = 0;
	}
	x->force |= force;
	x->exclude |= exclude;
	snprintf(x->why, sizeof(x->why), "%s", why);
	return 0;
}

int vol_evictions_fenced(struct vol_evictions *e, uint32_t job)
{
	struct vol_eviction *x = find_or_add(e, job);

	if (!x)
		return -1;
	x->fenced = true;
	snprintf(x->why, sizeof(x->why),
		 "was stopped because the controller was out of reach");
	return 0;
}

const struct vol_eviction *vol_evictions_due(struct vol_evictions *e,
					     uint64_t now_ms, uint64_t *next_ms)
{
	for (size_t i = 0; i < e->n; i++) {
		struct vol_eviction *x = &e->list[i];
		bool put_off = x->saving == VOL_SAVING_WAITS ||
			       x->saving == VOL_SAVING_NOW;
		uint64_t at = x->asked_ms + (x->refused || x->granted
						     ? VOL_EVICTION_AGAIN_MS
						     : VOL_EVICTION_RETRY_MS);

		if (put_off)
			continue;
		if (x->asked && now_ms < at) {
			if (at < *next_ms)
				*next_ms = at;
			continue;
		}
		x->asked = true;
		x->refused = x->granted = false;
		x->asked_ms = now_ms;
		return x;
	}
	return NULL;
}

void vol_evictions_reported(struct vol_evictions *e, uint32_t job,
			    uint64_t report)
{
	struct vol_eviction *x = find(e, job);

	if (!x)
		return;
	x->report = report;
	x->saving = VOL_SAVING_OVER;
}

void vol_evictions_put_off(struct vol_evictions *e, uint32_t job,
			   enum vol_saving saving)
{
	struct vol_eviction *x = find(e, job);

	if (!x)
		return;
	x->saving = saving;
	x->kept = saving == VOL_SAVING_NOW ||
		  (x->kept && saving != VOL_SAVING_NOT_YET);
}

void vol_evictions_keep(struct vol_evictions *e, uint32_t job)
{
	struct vol_eviction *x = find(e, job);

	if (x)
		x->kept = true;
}

enum vol_saving vol_evictions_saving(const struct vol_evictions *e,
				     uint32_t job)
{
	const struct vol_eviction *x = find(e, job);

	return x ? x->saving : VOL_SAVING_NOT_YET;
}

void vol_evictions_saved(struct vol_evictions *e)
{
	for (size_t i = 0; i < e->n; i++) {
		struct vol_eviction *x = &e->list[i];

		if (x->saving != VOL_SAVING_WAITS &&
		    x->saving != VOL_SAVING_NOW)
			continue;
		x->saving = x->saving == VOL_SAVING_NOW ? VOL_SAVING_OVER
							: VOL_SAVING_NOT_YET;
		/* Unless it was given an answer meanwhile, or a pardon. */
		if (!x->granted && !x->refused)
			x->asked = false;
	}
}

void vol_evictions_pardon(struct vol_evictions *e)
{
	for (size_t i = 0; i < e->n; i++) {
		struct vol_eviction *x = &e->list[i];

		if (!x->exclude || x->granted || x->fenced)
			continue;
		x->exclude = x->force = false;
		if (!x->kept)
			x->asked = x->refused = true;
	}
}

void vol_evictions_ask_again(struct vol_evictions *e)
{
	for (size_t i = 0; i < e->n; i++)
		if (!e->list[i].granted)
			e->list[i].asked = e->list[i].refused = false;
}

bool vol_evictions_answered(struct vol_evictions *e, uint32_t job,
			    enum vol_outcome outcome, uint64_t now_ms)
{
	struct vol_eviction *x = find(e, job);

	if (!x || x->granted ||
	    (x->saving == VOL_SAVING_NOW && outcome == VOL_OUTCOME_REFUSED))
		return false;
	if (x->fenced && outcome != VOL_OUTCOME_REFUSED) {
		vol_evictions_drop(e, job);
	} else {
		x->refused = outcome == VOL_OUTCOME_REFUSED;
		x->granted = !x->refused;
		x->kept &= x->granted;
		x->asked = true;
		x->asked_ms = now_ms;
	}
	return true;
}

bool vol_evictions_is_fenced(const struct vol_evictions *e, uint32_t job)
{
	const struct vol_eviction *x = find(e, job);

	return x && x->fenced;
}

bool vol_evictions_is_kept(const struct vol_evictions *e, uint32_t job)
{
	const struct vol_eviction *x = find(e, job);

	return x && x->kept;
}

bool vol_evictions_has(const struct vol_evictions *e, uint32_t job)
{
	return find(e, job) != NULL;
}

void vol_evictions_drop(struct vol_evictions *e, uint32_t job)
{
	struct vol_eviction *x = find(e, job);

	if (x)
		*x = e->list[--e->n];
}

bool vol_evictions_pending(const struct vol_evictions *e)
{
	for (size_t i = 0; i < e->n; i++)
		if (!e->list[i].refused && !e->list[i].fenced &&
		    !e->list[i].granted)
			return true;
	return false;
}

int vol_evictions_save(const struct vol_evictions *e, const char *path,
		       struct vol_error *err)
{
	cleanup_free char *text = malloc(e->n * LINE_SIZE + 1);
	size_t len = 0;

	if (!text)
		return vol_errorf_errno(err, ENOMEM, "%s: out of memory", path);
	for (size_t i = 0; i < e->n; i++) {
		const struct vol_eviction *x = &e->list[i];

		if (x->fenced || x->kept)
			len += (size_t)sprintf(text + len, "%" PRIu32 "%s\n",
					       x->job, x->fenced ? "" : KEPT);
	}
	if (len == 0)
		return unlink(path) < 0 && errno != ENOENT
			       ? vol_errorf(err, "%s: %s", path,
					    strerror(errno))
			       : 0;
	return vol_file_replace(path, text, len, 0644, 0, err);
}

/* It has not run since.  Whether that came to its end is not known: it is saved
 * once more. */
static int keep(struct vol_evictions *e, uint32_t job)
{
	if (vol_evictions_want(e, job, false, false,
			       "it was saved to start elsewhere") < 0)
		return -1;
	vol_evictions_keep(e, job);
	return 0;
}

static int load_line(struct vol_evictions *e, const char *line, size_t n,
		     struct vol_error *err)
{
	size_t number = strspn(line, "0123456789");
	bool kept = n == number + strlen(KEPT) &&
		    memcmp(line + number, KEPT, strlen(KEPT)) == 0;
	uint64_t job;

	if ((!kept && n != number) ||
	    vol_text_number(line, number, 1, UINT32_MAX, &job) < 0)
		return vol_errorf_errno(err, EINVAL, "not a job number");
	if ((kept ? keep : vol_evictions_fenced)(e, (uint32_t)job) < 0)
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	return 0;
}

int vol_evictions_load(struct vol_evictions *e, const char *path,
		       struct vol_error *err)
{
	size_t len, n, line = 1;
	cleanup_free char *text =
		vol_file_read(path, FILE_MAX_BYTES, &len, err);

	if (!text)
		return errno == ENOENT ? 0 : -1;
	for (char *s = text; s < text + len; s += n + 1, line++) {
		n = strcspn(s, "\n");
		if (load_line(e, s, n, err) < 0)
			return vol_error_prefix(err, "%s:%zu", path, line);
	}
	return 0;
}
