/* SPDX-License-Identifier: GPL-2.0-or-later */
/* park_file.c - since when jobs are parked outlives discoveryd, as they do */
#include "config.h"

#include "device/park_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "atomicfile.h"
#include "cleanup.h"
#include "names.h"

/* A boot id and three numbers of at most 20 digits. */
#define LINE_SIZE (VOL_DEVICE_ID_SIZE + 72)
/* More jobs than a desktop ever runs at once. */
#define FILE_MAX_BYTES (64 * 1024)

static int head(char line[LINE_SIZE], const char *boot, uint64_t closed_ms)
{
	return snprintf(line, LINE_SIZE, "%.32s %" PRIu64 "\n", boot,
			closed_ms);
}

static int one(char line[LINE_SIZE], const struct vol_parked_job *p)
{
	return snprintf(line, LINE_SIZE,
			"%" PRIu32 " %" PRIu64 " %" PRIu64 "\n", p->job,
			p->total_ms, p->stopped ? p->stopped_ms : 0);
}

int vol_park_file_save(const char *path, const char *boot, uint64_t closed_ms,
		       const struct vol_parkclock *c, struct vol_error *err)
{
	cleanup_free char *text = malloc((c->n + 1) * LINE_SIZE);
	size_t len;

	if (!text)
		return vol_errorf_errno(err, ENOMEM, "%s: out of memory", path);
	len = (size_t)head(text, boot, closed_ms);
	for (size_t i = 0; i < c->n; i++)
		len += (size_t)one(text + len, &c->list[i]);
	return vol_file_replace(path, text, len, 0644, 0, err);
}

/* A line is good if it looks the same when it is written again. */
static bool same(const char *text, const char *line, int len)
{
	return strncmp(text, line, (size_t)len) == 0;
}

static int read_job(const char *text, uint64_t now_ms, struct vol_parkclock *c)
{
	struct vol_parked_job p = {.job = 0}, *mine;
	char line[LINE_SIZE];
	int len;

	if (sscanf(text, "%" SCNu32 " %" SCNu64 " %" SCNu64, &p.job,
		   &p.total_ms, &p.stopped_ms) != 3)
		return -1;
	p.stopped = p.stopped_ms > 0;
	len = one(line, &p);
	/* total_ms is of the time before stopped_ms. */
	if (!same(text, line, len) || p.job == 0 || p.stopped_ms > now_ms ||
	    p.total_ms > (p.stopped ? p.stopped_ms : now_ms))
		return -1;
	mine = vol_parkclock_job(c, p.job);
	if (!mine || mine->total_ms || mine->stopped)
		return -1;
	*mine = p;
	return len;
}

static int read_all(const char *text, const char *boot, uint64_t now_ms,
		    uint64_t *closed_ms, struct vol_parkclock *c)
{
	char line[LINE_SIZE], its_boot[VOL_DEVICE_ID_SIZE];
	int len;

	if (sscanf(text, "%32s %" SCNu64, its_boot, closed_ms) != 2)
		return -1;
	len = head(line, its_boot, *closed_ms);
	if (!same(text, line, len) ||
	    strlen(its_boot) != VOL_DEVICE_ID_SIZE - 1)
		return -1;
	if (strcmp(its_boot, boot) != 0) {
		*closed_ms = now_ms;
		return 0;
	}
	if (*closed_ms > now_ms)
		return -1;
	if (*closed_ms == 0)
		*closed_ms = now_ms;
	for (text += len; *text; text += len) {
		len = read_job(text, now_ms, c);
		if (len < 0)
			return -1;
	}
	return 0;
}

int vol_park_file_load(const char *path, const char *boot, uint64_t now_ms,
		       uint64_t *closed_ms, struct vol_parkclock *c,
		       struct vol_error *err)
{
	cleanup_free char *text = NULL;
	size_t len;

	vol_parkclock_clear(c);
	*closed_ms = now_ms;
	text = vol_file_read(path, FILE_MAX_BYTES, &len, err);
	if (!text && errno == ENOENT)
		return 0;
	if (text && strlen(text) == len &&
	    read_all(text, boot, now_ms, closed_ms, c) == 0)
		return 0;
	vol_parkclock_clear(c);
	*closed_ms = 0;
	return text ? vol_errorf_errno(err, EINVAL, "%s: damaged", path) : -1;
}
