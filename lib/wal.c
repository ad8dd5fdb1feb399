/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wal.c - a write-ahead log: a file of checksummed slots that only grows */
#include "config.h"

#include "wal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "atomicfile.h"
#include "bytes.h"
#include "cleanup.h"

#define AT_SYNCED  8
#define MAGIC_SIZE 8
/* What happens at a machine is nobody's business. */
#define FILE_MODE 0600

int vol_wal_init(struct vol_wal *w, const char *path, const char magic[9],
		 size_t slot)
{
	memset(w, 0, sizeof(*w));
	w->path = strdup(path);
	memcpy(w->magic, magic, MAGIC_SIZE);
	w->slot = slot;
	w->rewrite = true;
	return w->path ? 0 : -1;
}

void vol_wal_clear(struct vol_wal *w)
{
	free(w->path);
	memset(w, 0, sizeof(*w));
}

/* ---- reading ---- */

const uint8_t *vol_wal_slot(const struct vol_wal *w, const uint8_t *file,
			    size_t i)
{
	const uint8_t *slot = file + i * w->slot;

	if (vol_get64(slot) != vol_fnv(slot + AT_SYNCED, w->slot - AT_SYNCED))
		return NULL;
	return slot + VOL_WAL_PAYLOAD;
}

int vol_wal_scan(const struct vol_wal *w, const uint8_t *file, size_t len,
		 struct vol_wal_scan *scan)
{
	size_t whole = len / w->slot, known = 0, i;
	const uint8_t *payload;
	uint64_t synced;

	memset(scan, 0, sizeof(*scan));
	payload = whole ? vol_wal_slot(w, file, 0) : NULL;
	if (!payload || memcmp(payload, w->magic, MAGIC_SIZE) != 0) {
		errno = EINVAL;
		return -1;
	}
	/* How much of it was on disk for sure? */
	for (i = 1; i < whole; i++) {
		payload = vol_wal_slot(w, file, i);
		if (!payload)
			continue;
		synced = vol_get64(payload - VOL_WAL_PAYLOAD + AT_SYNCED);
		if (synced <= i && synced > known)
			known = (size_t)synced;
	}
	for (i = 1; i < whole; i++) {
		if (vol_wal_slot(w, file, i))
			continue;
		if (i >= known)
			break;
		scan->damaged++;
		if (!scan->first)
			scan->first = i;
	}
	scan->n = i;
	scan->torn = i * w->slot != len;
	return 0;
}

void vol_wal_set_aside(const struct vol_wal *w)
{
	cleanup_free char *aside = NULL;

	if (asprintf(&aside, "%s.damaged", w->path) >= 0)
		(void)rename(w->path, aside);
}

/* ---- writing ---- */

struct vol_wal_commit *vol_wal_commit_create(const struct vol_wal *w, size_t n,
					     bool replace)
{
	struct vol_wal_commit *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->path = strdup(w->path);
	c->data = calloc(n, w->slot);
	if (!c->path || !c->data) {
		vol_wal_commit_destroy(c);
		errno = ENOMEM;
		return NULL;
	}
	c->slot = w->slot;
	c->n = n;
	c->replace = replace;
	c->at = replace ? 0 : w->slots;
	if (replace)
		memcpy(vol_wal_payload(c, 0), w->magic, MAGIC_SIZE);
	return c;
}

void vol_wal_commit_destroy(struct vol_wal_commit *c)
{
	if (!c)
		return;
	free(c->path);
	free(c->data);
	free(c);
}

uint8_t *vol_wal_payload(const struct vol_wal_commit *c, size_t i)
{
	return c->data + i * c->slot + VOL_WAL_PAYLOAD;
}

static void seal(struct vol_wal_commit *c)
{
	uint8_t *slot;

	for (size_t i = 0; i < c->n; i++) {
		slot = c->data + i * c->slot;
		vol_put64(slot + AT_SYNCED, c->at);
		vol_put64(slot, vol_fnv(slot + AT_SYNCED, c->slot - AT_SYNCED));
	}
}

static int write_at(int fd, const uint8_t *data, size_t len, off_t at)
{
	ssize_t n;

	for (; len > 0; data += n, len -= (size_t)n, at += n) {
		n = pwrite(fd, data, len, at);
		if (n < 0 && errno == EINTR)
			n = 0;
		if (n < 0)
			return -1;
	}
	return 0;
}

static int append(struct vol_wal_commit *c)
{
	cleanup_fd int fd = open(c->path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW |
						  O_NOCTTY | O_NONBLOCK);
	off_t at = (off_t)(c->at * c->slot);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return vol_errorf(&c->why, "%s: %s", c->path, strerror(errno));
	if (st.st_size != at)
		return vol_errorf_errno(&c->why, ESTALE,
					"%s: somebody else has written to it",
					c->path);
	if (write_at(fd, c->data, c->n * c->slot, at) < 0 || fdatasync(fd) < 0)
		return vol_errorf(&c->why, "%s: %s", c->path, strerror(errno));
	return 0;
}

void vol_wal_commit_run(struct vol_wal_commit *c)
{
	int rc;

	seal(c);
	rc = c->replace ? vol_file_replace(c->path, c->data, c->n * c->slot,
					   FILE_MODE, 1, &c->why)
			: append(c);
	c->error = rc < 0 ? errno : 0;
	/* Not the name of the temporary file, which is another one each time.
	 */
	if (rc < 0 && c->replace)
		vol_errorf(&c->why, "%s: %s", c->path, strerror(c->error));
}

bool vol_wal_committed(struct vol_wal *w, const struct vol_wal_commit *c)
{
	if (c->error) {
		w->rewrite = true;
		return false;
	}
	w->slots = c->at + c->n;
	if (c->replace)
		w->rewrite = false;
	return true;
}
