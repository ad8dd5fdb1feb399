/* SPDX-License-Identifier: GPL-2.0-or-later */
/* inbox.c - which reports of which device the controller has applied
 *
 * entries[] is ascending by identity.  Entries never move in memory, so that a
 * commit that is under way can point to them.
 */
#include "config.h"

#include "inbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "atomicfile.h"
#include "bytes.h"
#include "cleanup.h"

#define MAGIC      "VOLINBOX"
#define AT_VERSION 8
#define ID_CHARS   (VOL_DEVICE_ID_SIZE - 1)
enum { AT_ID = 0, AT_STREAM = 32, AT_SEQ = 40 };

_Static_assert(AT_STREAM == ID_CHARS, "layout");
_Static_assert(AT_SEQ + 8 + VOL_WAL_PAYLOAD == VOL_INBOX_SLOT, "layout");

/* History in the file is cut when it is more than this and than what counts. */
#define SLACK 4096

struct entry {
	char id[VOL_DEVICE_ID_SIZE];
	uint64_t stream, seq;             /* as of now */
	uint64_t taken;                   /* being applied, from seq up */
	uint64_t disk_stream, disk_seq;   /* as on disk */
	uint64_t under_stream, under_seq; /* as in the commit under way */
	void *who;                        /* it is here */
	bool dirty;
	bool forgotten; /* freed when the commit is over */
};

struct vol_inbox {
	struct vol_wal wal;
	struct entry **entries;
	size_t n, size;
	size_t n_dirty;
	struct vol_wal_commit *commit; /* under way, or NULL */
	struct entry **under;          /* what is in it */
	size_t n_under;
};

/* ---- entries ---- */

static struct entry *find(const struct vol_inbox *in, const char *id,
			  size_t *place)
{
	size_t low = 0, high = in->n, middle;
	int order;

	while (low < high) {
		middle = low + (high - low) / 2;
		order = strcmp(in->entries[middle]->id, id);
		if (order == 0) {
			*place = middle;
			return in->entries[middle];
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*place = low;
	return NULL;
}

static struct entry *find_or_add(struct vol_inbox *in, const char *id)
{
	size_t place, size = in->size ? 2 * in->size : 64;
	struct entry *e = find(in, id, &place), **grown;

	if (e)
		return e;
	if (in->n == VOL_INBOX_DEVICES) {
		errno = ENOSPC;
		return NULL;
	}
	if (in->n == in->size) {
		grown = realloc(in->entries, size * sizeof(*grown));
		if (!grown)
			return NULL;
		in->entries = grown;
		in->size = size;
	}
	e = calloc(1, sizeof(*e));
	if (!e)
		return NULL;
	memcpy(e->id, id, ID_CHARS);
	memmove(in->entries + place + 1, in->entries + place,
		(in->n - place) * sizeof(struct entry *));
	in->entries[place] = e;
	in->n++;
	return e;
}

static void touch(struct vol_inbox *in, struct entry *e)
{
	in->n_dirty += !e->dirty;
	e->dirty = true;
}

/* ---- the file ---- */

static int read_slot(struct vol_inbox *in, const uint8_t *p)
{
	char id[VOL_DEVICE_ID_SIZE];
	struct entry *e;

	memcpy(id, p + AT_ID, ID_CHARS);
	id[ID_CHARS] = '\0';
	if (!vol_device_id_valid(id)) {
		errno = EBADMSG;
		return -1;
	}
	e = find_or_add(in, id);
	if (!e)
		return -1;
	e->stream = vol_get64(p + AT_STREAM);
	e->seq = vol_get64(p + AT_SEQ);
	return 0;
}

static int read_slots(struct vol_inbox *in, const uint8_t *file, size_t len,
		      struct vol_error *err)
{
	struct vol_wal_scan scan;
	const uint8_t *p;
	uint32_t version;
	size_t i;

	if (vol_wal_scan(&in->wal, file, len, &scan) < 0)
		return vol_errorf_errno(err, EBADMSG,
					"not a record of reports");
	version = vol_get32(vol_wal_slot(&in->wal, file, 0) + AT_VERSION);
	if (version != VOL_INBOX_VERSION)
		return vol_errorf_errno(err, EBADMSG, "version %u, want %d",
					version, VOL_INBOX_VERSION);
	for (i = 1; i < scan.n; i++) {
		p = vol_wal_slot(&in->wal, file, i);
		if (!p || read_slot(in, p) == 0)
			continue;
		if (errno != EBADMSG)
			return vol_errorf(err, "slot %zu: %s", i,
					  strerror(errno));
		scan.damaged++;
		if (!scan.first || scan.first > i)
			scan.first = i;
	}
	if (!scan.damaged)
		return 0;
	return vol_errorf_errno(err, EBADMSG,
				"slot %zu is damaged (and %zu more)",
				scan.first, scan.damaged - 1);
}

static struct vol_inbox *create(const char *path, struct vol_error *err)
{
	struct vol_inbox *in = calloc(1, sizeof(*in));

	if (in && vol_wal_init(&in->wal, path, MAGIC, VOL_INBOX_SLOT) == 0)
		return in;
	vol_errorf_errno(err, ENOMEM, "%s: out of memory", path);
	vol_inbox_destroy(in);
	return NULL;
}

/* What can be read of a damaged one is kept. */
struct vol_inbox *vol_inbox_parse(const char *path, const uint8_t *file,
				  size_t len, struct vol_error *err)
{
	struct vol_inbox *in;

	err->text[0] = '\0';
	in = create(path, err);
	if (!in || read_slots(in, file, len, err) == 0)
		return in;
	vol_error_prefix(err, "%s", path);
	if (errno == EBADMSG)
		return in;
	vol_inbox_destroy(in);
	return NULL;
}

struct vol_inbox *vol_inbox_load(const char *path, struct vol_error *err)
{
	cleanup_free uint8_t *file = NULL;
	struct vol_inbox *in = NULL;
	struct vol_error unheard;
	size_t len;

	if (!err)
		err = &unheard;
	vol_file_tidy(path);
	file = (uint8_t *)vol_file_read(path, VOL_INBOX_BYTES, &len, err);
	if (file) {
		in = vol_inbox_parse(path, file, len, err);
	} else if (errno == ENOENT || errno == EFBIG) {
		if (errno == ENOENT)
			err->text[0] = '\0';
		in = create(path, err);
	}
	if (in && *err->text)
		vol_wal_set_aside(&in->wal);
	return in;
}

void vol_inbox_destroy(struct vol_inbox *in)
{
	int saved = errno;

	if (!in)
		return;
	vol_wal_commit_destroy(in->commit);
	for (size_t i = 0; i < in->n_under; i++)
		if (in->under[i]->forgotten)
			free(in->under[i]);
	while (in->n)
		free(in->entries[--in->n]);
	free(in->entries);
	free(in->under);
	vol_wal_clear(&in->wal);
	free(in);
	errno = saved;
}

/* ---- reports ---- */

int vol_inbox_meet(struct vol_inbox *in, const char *id, uint64_t stream,
		   uint64_t acked, void *who, enum vol_inbox_meeting *meeting)
{
	struct entry *e = find_or_add(in, id);

	if (!e)
		return -1;
	e->taken = 0;
	e->who = who;
	if (e->stream == stream && acked <= e->seq) {
		*meeting = VOL_INBOX_SAME;
		return 0;
	}
	if (e->stream == stream)
		*meeting = VOL_INBOX_BEHIND;
	else if (e->stream)
		*meeting = VOL_INBOX_RESET;
	else
		*meeting = acked ? VOL_INBOX_BEHIND : VOL_INBOX_NEW;
	e->stream = stream;
	e->seq = acked;
	touch(in, e);
	return 0;
}

void vol_inbox_part(struct vol_inbox *in, const char *id)
{
	size_t place;
	struct entry *e = find(in, id, &place);

	if (e)
		e->who = NULL;
}

enum vol_inbox_verdict vol_inbox_decide(const struct vol_inbox *in,
					const char *id, uint64_t stream,
					uint64_t after, uint64_t seq)
{
	size_t place;
	const struct entry *e = find(in, id, &place);

	if (!e || e->stream != stream)
		return VOL_INBOX_OTHER;
	if (seq <= e->seq)
		return VOL_INBOX_APPLIED;
	if (seq <= e->taken)
		return VOL_INBOX_TAKEN;
	return after <= e->seq || after <= e->taken ? VOL_INBOX_APPLY
						    : VOL_INBOX_GAP;
}

void vol_inbox_take(struct vol_inbox *in, const char *id, uint64_t seq)
{
	size_t place;
	struct entry *e = find(in, id, &place);

	if (e && seq > e->taken)
		e->taken = seq;
}

void vol_inbox_applied(struct vol_inbox *in, const char *id, uint64_t seq)
{
	size_t place;
	struct entry *e = find(in, id, &place);

	if (!e || seq <= e->seq)
		return;
	e->seq = seq;
	touch(in, e);
}

uint64_t vol_inbox_last(const struct vol_inbox *in, const char *id)
{
	size_t place;
	const struct entry *e = find(in, id, &place);

	return e ? e->seq : 0;
}

uint64_t vol_inbox_recorded(const struct vol_inbox *in, const char *id)
{
	size_t place;
	const struct entry *e = find(in, id, &place);

	return e && e->disk_stream == e->stream ? e->disk_seq : 0;
}

void vol_inbox_forget(struct vol_inbox *in, const char *id)
{
	size_t place, i;
	struct entry *e = find(in, id, &place);

	if (!e)
		return;
	in->n_dirty -= e->dirty;
	memmove(in->entries + place, in->entries + place + 1,
		(in->n - place - 1) * sizeof(struct entry *));
	in->n--;
	/* The commit that is under way points to it. */
	for (i = 0; i < in->n_under && in->under[i] != e; i++)
		;
	e->forgotten = i < in->n_under;
	if (!e->forgotten)
		free(e);
}

/* ---- to disk ---- */

static bool must_replace(const struct vol_inbox *in)
{
	return in->wal.rewrite ||
	       in->wal.slots + in->n_dirty > 2 * in->n + SLACK;
}

static void put_entry(struct vol_inbox *in, struct entry *e, uint8_t *p)
{
	memcpy(p + AT_ID, e->id, ID_CHARS);
	vol_put64(p + AT_STREAM, e->stream);
	vol_put64(p + AT_SEQ, e->seq);
	e->under_stream = e->stream;
	e->under_seq = e->seq;
	e->dirty = false;
	in->under[in->n_under++] = e;
}

struct vol_wal_commit *vol_inbox_begin(struct vol_inbox *in)
{
	bool replace = must_replace(in);
	size_t n = replace ? in->n : in->n_dirty, i;

	if (in->commit || (!in->n_dirty && !in->wal.rewrite))
		return NULL;
	in->under = calloc(n + 1, sizeof(struct entry *));
	in->commit = in->under ? vol_wal_commit_create(&in->wal, n + replace,
						       replace)
			       : NULL;
	if (!in->commit) {
		free(in->under);
		in->under = NULL;
		return NULL;
	}
	if (replace)
		vol_put32(vol_wal_payload(in->commit, 0) + AT_VERSION,
			  VOL_INBOX_VERSION);
	for (i = 0; i < in->n; i++)
		if (replace || in->entries[i]->dirty)
			put_entry(in, in->entries[i],
				  vol_wal_payload(in->commit,
						  in->n_under + replace));
	in->n_dirty = 0;
	return in->commit;
}

/* true: that is news. */
static bool note_recorded(struct entry *e)
{
	bool news = e->disk_stream != e->under_stream ||
		    e->disk_seq != e->under_seq;

	e->disk_stream = e->under_stream;
	e->disk_seq = e->under_seq;
	return news;
}

bool vol_inbox_end(struct vol_inbox *in, vol_inbox_recorded_f recorded,
		   void *arg, struct vol_error *why)
{
	struct vol_wal_commit *c = in->commit;
	struct entry **under = in->under, *e;
	bool done = vol_wal_committed(&in->wal, c);
	size_t n = in->n_under, i;

	if (!done && why)
		*why = c->why;
	in->commit = NULL;
	in->under = NULL;
	in->n_under = 0;
	for (i = 0; i < n; i++) {
		e = under[i];
		if (e->forgotten)
			free(e);
		else if (!done)
			touch(in, e);
		else if (note_recorded(e) && recorded && e->who)
			recorded(e->who, e->disk_stream, e->disk_seq, arg);
	}
	free(under);
	vol_wal_commit_destroy(c);
	return done;
}
