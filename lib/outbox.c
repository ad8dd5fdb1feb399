/* SPDX-License-Identifier: GPL-2.0-or-later */
/* outbox.c - a device's reports, kept on disk until the controller has them
 *
 * reports[] is ascending by number; those up to durable are on disk.
 */
#include "config.h"

#include "outbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "atomicfile.h"
#include "bytes.h"
#include "cleanup.h"

#define MAGIC "VOLOUTBX"
/* In the payloads. */
enum { AT_VERSION = 8, AT_STREAM = 16, AT_ACKED = 24 };
enum { AT_SEQ = 0, AT_TIME = 8, AT_KIND = 16, AT_LEN = 18, AT_STATE = 20 };
#define AT_DATA 24
#define PAYLOAD (VOL_OUTBOX_SLOT - VOL_WAL_PAYLOAD)

_Static_assert(AT_DATA + VOL_OUTBOX_DATA == PAYLOAD, "layout");

struct vol_outbox {
	struct vol_wal wal;
	uint64_t stream;
	uint64_t acked, last, durable; /* numbers */
	uint64_t known; /* none above this one was sent, by no life */
	struct vol_report **reports;
	size_t n, size;
	bool rewrite;                  /* the file holds what it should not */
	struct vol_wal_commit *commit; /* under way, or NULL */
	uint64_t commit_stream, commit_last;
};

/* ---- the file ---- */

static void put_report(uint8_t *p, const struct vol_report *r)
{
	vol_put64(p + AT_SEQ, r->seq);
	vol_put64(p + AT_TIME, (uint64_t)r->time_ms);
	vol_put16(p + AT_KIND, r->kind);
	vol_put16(p + AT_LEN, (uint16_t)r->len);
	vol_put32(p + AT_STATE, r->state);
	memcpy(p + AT_DATA, r->data, r->len);
}

static bool get_report(const uint8_t *p, struct vol_report *r)
{
	uint32_t state = vol_get32(p + AT_STATE);

	memset(r, 0, sizeof(*r));
	r->seq = vol_get64(p + AT_SEQ);
	r->time_ms = (int64_t)vol_get64(p + AT_TIME);
	r->kind = vol_get16(p + AT_KIND);
	r->len = vol_get16(p + AT_LEN);
	r->state = state;
	if (!r->kind || r->len > VOL_OUTBOX_DATA || state > 1)
		return false;
	memcpy(r->data, p + AT_DATA, r->len);
	return true;
}

/* One more at the end; NULL without memory. */
static struct vol_report *push(struct vol_outbox *o)
{
	struct vol_report *r = calloc(1, sizeof(*r)), **grown;
	size_t size = o->size ? 2 * o->size : 16;

	if (!r)
		return NULL;
	if (o->n == o->size) {
		grown = realloc(o->reports, size * sizeof(*grown));
		if (!grown) {
			free(r);
			return NULL;
		}
		o->reports = grown;
		o->size = size;
	}
	return o->reports[o->n++] = r;
}

static int damaged(struct vol_error *err, size_t slot)
{
	return vol_errorf_errno(err, EBADMSG, "slot %zu is damaged", slot);
}

static int read_head(struct vol_outbox *o, const uint8_t *p,
		     struct vol_error *err)
{
	uint32_t version = vol_get32(p + AT_VERSION);

	if (version != VOL_OUTBOX_VERSION)
		return vol_errorf_errno(err, EBADMSG, "version %u, want %d",
					version, VOL_OUTBOX_VERSION);
	o->stream = vol_get64(p + AT_STREAM);
	o->acked = o->last = vol_get64(p + AT_ACKED);
	if (!o->stream || o->acked > VOL_OUTBOX_SEQ_MAX)
		return damaged(err, 0);
	return 0;
}

static int read_slots(struct vol_outbox *o, const uint8_t *file, size_t len,
		      struct vol_error *err)
{
	struct vol_wal_scan scan;
	struct vol_report r, *kept;
	size_t i;

	if (vol_wal_scan(&o->wal, file, len, &scan) < 0)
		return vol_errorf_errno(err, EBADMSG, "not a file of reports");
	if (scan.damaged)
		return damaged(err, scan.first);
	if (read_head(o, vol_wal_slot(&o->wal, file, 0), err) < 0)
		return -1;
	for (i = 1; i < scan.n; i++) {
		if (!get_report(vol_wal_slot(&o->wal, file, i), &r) ||
		    r.seq <= o->last || r.seq > VOL_OUTBOX_SEQ_MAX)
			return damaged(err, i);
		o->last = r.seq;
		kept = push(o);
		if (!kept)
			return vol_errorf_errno(err, ENOMEM, "out of memory");
		*kept = r;
	}
	o->known = o->last; /* any of them may have been sent */
	return 0;
}

static void drop_all(struct vol_outbox *o)
{
	while (o->n)
		free(o->reports[--o->n]);
}

static struct vol_outbox *create(const char *path, uint64_t fresh,
				 struct vol_error *err)
{
	struct vol_outbox *o = calloc(1, sizeof(*o));

	if (o && vol_wal_init(&o->wal, path, MAGIC, VOL_OUTBOX_SLOT) == 0) {
		o->stream = fresh;
		return o;
	}
	vol_errorf_errno(err, ENOMEM, "%s: out of memory", path);
	vol_outbox_destroy(o);
	return NULL;
}

struct vol_outbox *vol_outbox_parse(const char *path, const uint8_t *file,
				    size_t len, uint64_t fresh,
				    struct vol_error *err)
{
	struct vol_outbox *o;

	err->text[0] = '\0';
	o = create(path, fresh, err);
	if (!o || read_slots(o, file, len, err) == 0)
		return o;
	vol_error_prefix(err, "%s", path);
	vol_outbox_destroy(o);
	return errno == EBADMSG ? create(path, fresh, err) : NULL;
}

struct vol_outbox *vol_outbox_load(const char *path, uint64_t fresh,
				   struct vol_error *err)
{
	cleanup_free uint8_t *file = NULL;
	struct vol_outbox *o = NULL;
	struct vol_error unheard;
	size_t len;

	if (!err)
		err = &unheard;
	vol_file_tidy(path);
	file = (uint8_t *)vol_file_read(path, VOL_OUTBOX_BYTES, &len, err);
	if (file) {
		o = vol_outbox_parse(path, file, len, fresh, err);
	} else if (errno == ENOENT || errno == EFBIG) {
		if (errno == ENOENT)
			err->text[0] = '\0';
		o = create(path, fresh, err);
	}
	if (o && *err->text)
		vol_wal_set_aside(&o->wal);
	return o;
}

void vol_outbox_destroy(struct vol_outbox *o)
{
	int saved = errno;

	if (!o)
		return;
	vol_wal_commit_destroy(o->commit);
	drop_all(o);
	free(o->reports);
	vol_wal_clear(&o->wal);
	free(o);
	errno = saved;
}

/* ---- what it holds ---- */

uint64_t vol_outbox_stream(const struct vol_outbox *o)
{
	return o->stream;
}

uint64_t vol_outbox_acked(const struct vol_outbox *o)
{
	return o->acked;
}

size_t vol_outbox_count(const struct vol_outbox *o)
{
	return o->n;
}

bool vol_outbox_waits(const struct vol_outbox *o, uint64_t seq)
{
	return seq > o->acked && seq <= o->last;
}

/* Is there a later state of that kind, or is one about to come? */
static bool is_outdated(const struct vol_outbox *o, size_t i, uint16_t coming)
{
	const struct vol_report *r = o->reports[i];

	if (!r->state || r->kind == coming)
		return r->state;
	while (++i < o->n)
		if (o->reports[i]->state && o->reports[i]->kind == r->kind)
			return true;
	return false;
}

/* coming: kind of the state that room is made for, 0 = an event. */
static void make_room(struct vol_outbox *o, uint16_t coming)
{
	size_t i, kept = 0;

	for (i = 0; i < o->n; i++) {
		if (is_outdated(o, i, coming))
			free(o->reports[i]);
		else /* nobody looks at what is before i */
			o->reports[kept++] = o->reports[i];
	}
	o->rewrite |= kept < o->n;
	o->n = kept;
}

uint64_t vol_outbox_append(struct vol_outbox *o, uint16_t kind, bool state,
			   int64_t time_ms, const void *data, size_t len)
{
	struct vol_report *r;

	if (!kind || len > VOL_OUTBOX_DATA) {
		errno = EINVAL;
		return 0;
	}
	if (o->n >= VOL_OUTBOX_MAX)
		make_room(o, state ? kind : 0);
	if (o->n >= VOL_OUTBOX_MAX || o->last == VOL_OUTBOX_SEQ_MAX) {
		errno = ENOSPC;
		return 0;
	}
	r = push(o);
	if (!r)
		return 0;
	r->seq = ++o->last;
	r->time_ms = time_ms;
	r->kind = kind;
	r->state = state;
	r->len = len;
	memcpy(r->data, data, len);
	return r->seq;
}

/* ---- to disk ---- */

/* Index of the first with a number above seq. */
static size_t behind(const struct vol_outbox *o, uint64_t seq)
{
	size_t low = 0, high = o->n, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (o->reports[middle]->seq > seq)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

size_t vol_outbox_under_way(const struct vol_outbox *o, uint64_t seq)
{
	return behind(o, seq);
}

/* It would get too long, or can not be appended to. */
static bool must_replace(const struct vol_outbox *o)
{
	return o->wal.rewrite || o->rewrite ||
	       o->wal.slots > 1 + behind(o, o->durable) + VOL_OUTBOX_SLACK;
}

struct vol_wal_commit *vol_outbox_begin(struct vol_outbox *o)
{
	bool replace = must_replace(o);
	size_t first = replace ? 0 : behind(o, o->durable), i;
	uint8_t *p;

	if (o->commit || (!replace && first == o->n))
		return NULL;
	o->commit =
		vol_wal_commit_create(&o->wal, o->n - first + replace, replace);
	if (!o->commit)
		return NULL;
	if (replace) {
		p = vol_wal_payload(o->commit, 0);
		vol_put32(p + AT_VERSION, VOL_OUTBOX_VERSION);
		vol_put64(p + AT_STREAM, o->stream);
		vol_put64(p + AT_ACKED, o->acked);
	}
	for (i = first; i < o->n; i++)
		put_report(vol_wal_payload(o->commit, i - first + replace),
			   o->reports[i]);
	if (replace)
		o->rewrite = false;
	o->commit_stream = o->stream;
	o->commit_last = o->last;
	return o->commit;
}

bool vol_outbox_end(struct vol_outbox *o, struct vol_error *why)
{
	struct vol_wal_commit *c = o->commit;
	bool done = vol_wal_committed(&o->wal, c);

	o->commit = NULL;
	if (!done && why)
		*why = c->why;
	/* Not of a stream that was given up meanwhile. */
	if (done && o->stream == o->commit_stream)
		o->durable = o->commit_last;
	vol_wal_commit_destroy(c);
	return done;
}

/* ---- to the controller ---- */

const struct vol_report *vol_outbox_next(const struct vol_outbox *o,
					 uint64_t seq, uint64_t *after)
{
	size_t i = behind(o, seq);

	if (i == o->n || o->reports[i]->seq > o->durable)
		return NULL;
	*after = i ? o->reports[i - 1]->seq : o->acked;
	return o->reports[i];
}

void vol_outbox_sent(struct vol_outbox *o, uint64_t seq)
{
	if (seq > o->known)
		o->known = seq;
}

int vol_outbox_ack(struct vol_outbox *o, uint64_t stream, uint64_t seq)
{
	size_t n, i;

	if (stream != o->stream) {
		errno = ENOENT;
		return -1;
	}
	if (seq > o->known) {
		errno = ERANGE;
		return -1;
	}
	if (seq <= o->acked)
		return 0;
	n = behind(o, seq);
	for (i = 0; i < n; i++)
		free(o->reports[i]);
	memmove(o->reports, o->reports + n,
		(o->n - n) * sizeof(struct vol_report *));
	o->n -= n;
	o->acked = seq;
	return 0;
}

void vol_outbox_drop(struct vol_outbox *o, uint64_t seq)
{
	size_t i = behind(o, seq);

	if (i == 0 || o->reports[--i]->seq != seq)
		return;
	free(o->reports[i]);
	memmove(o->reports + i, o->reports + i + 1,
		(--o->n - i) * sizeof(struct vol_report *));
	o->rewrite = true;
}

void vol_outbox_renew(struct vol_outbox *o, uint64_t fresh)
{
	size_t i;

	o->stream = fresh;
	o->acked = o->durable = o->known = 0;
	for (i = 0; i < o->n; i++)
		o->reports[i]->seq = i + 1;
	o->last = o->n;
	o->rewrite = true;
}
