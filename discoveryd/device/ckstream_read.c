/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckstream_read.c - a saved job as one stream of bytes: reading
 *
 * A part at a time: each is so long as was said before it, and the lengths of
 * the files are in the manifest, with which those that came before it are
 * compared.
 */
#include "config.h"

#include "device/ckstream.h"

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

/* Handed out at once: some blocks of ZSTD_DStreamOutSize().  A filesystem takes
 * one large piece with less work than many small ones. */
#define CHUNK (1024 * 1024)

enum part {
	PIECE_HEAD,
	PIECE,
	MANIFEST_LENGTH,
	MANIFEST,
	RECORD_LENGTH,
	RECORD,
	FILES,
	COMPLETE,
};

struct vol_ckstream {
	struct vol_ckstream_sink sink;
	ZSTD_DCtx *zstd;
	size_t magic; /* bytes of it that came */
	bool closed;  /* the frame is over */
	enum part part;
	uint8_t length[8];
	/* Files that came in pieces, and which of the manifest's they are. */
	struct early {
		uint32_t number;
		uint64_t bytes;
	} * early;
	size_t n_early;
	bool *came;
	char *text; /* of the part */
	char *record;
	size_t size, got; /* of the part that it is */
	struct vol_ckmanifest m;
	size_t file;   /* which */
	uint64_t left; /* of it, or of the piece */
	uint8_t out[CHUNK];
};

static int broken(struct vol_error *err, const char *what)
{
	return vol_errorf_errno(err, EBADMSG, "no whole image: %s", what);
}

struct vol_ckstream *vol_ckstream_create(const struct vol_ckstream_sink *sink,
					 struct vol_error *err)
{
	struct vol_ckstream *s = malloc(sizeof(*s));

	if (s) {
		memset(s, 0, offsetof(struct vol_ckstream, out));
		s->sink = *sink;
		s->zstd = ZSTD_createDCtx();
	}
	if (s && s->zstd &&
	    !ZSTD_isError(ZSTD_DCtx_setParameter(s->zstd, ZSTD_d_windowLogMax,
						 VOL_CKSTREAM_WINDOW)))
		return s;
	vol_ckstream_destroy(s);
	vol_errorf_errno(err, ENOMEM, "out of memory");
	return NULL;
}

void vol_ckstream_destroy(struct vol_ckstream *s)
{
	int saved = errno;

	if (s) {
		ZSTD_freeDCtx(s->zstd);
		vol_ckmanifest_clear(&s->m);
		free(s->early);
		free(s->came);
		free(s->text);
		free(s->record);
		free(s);
	}
	errno = saved;
}

/* ---- memory before the manifest ---- */

static int begin_early(struct vol_ckstream *s, uint32_t number,
		       struct vol_error *err)
{
	uint32_t last = s->n_early > 0 ? s->early[s->n_early - 1].number : 0;
	struct early *grown;

	if (number == last && last > 0)
		return 0;
	if (number <= last || s->n_early == VOL_CKFILES_MAX)
		return broken(err, "number of a piece");
	grown = reallocarray(s->early, s->n_early + 1, sizeof(*grown));
	if (!grown)
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	s->early = grown;
	s->early[s->n_early++] = (struct early){.number = number};
	return 0;
}

static int begin_piece(struct vol_ckstream *s, struct vol_error *err)
{
	uint32_t head[2];

	memcpy(head, s->length, sizeof(head));
	s->left = be32toh(head[0]);
	s->got = 0;
	if (s->left > 0) {
		s->part = PIECE;
		return begin_early(s, be32toh(head[1]), err);
	}
	s->part = MANIFEST_LENGTH;
	return head[1] ? broken(err, "end of the pieces") : 0;
}

static int take_piece(struct vol_ckstream *s, const uint8_t *data, size_t len,
		      struct vol_error *err)
{
	struct early *e = &s->early[s->n_early - 1];

	e->bytes += len;
	if (e->bytes > VOL_CKBYTES_MAX)
		return broken(err, "length of a file");
	if (s->sink.pages(e->number, data, len, s->sink.arg, err) < 0)
		return -1;
	s->left -= len;
	if (s->left == 0)
		s->part = PIECE_HEAD;
	return 0;
}

/* Of the manifest's files, each at most once: their numbers rise. */
static int match_early(struct vol_ckstream *s, struct vol_error *err)
{
	char name[VOL_CKNAME_SIZE];

	s->came = calloc(s->m.n_files + 1, sizeof(*s->came));
	if (!s->came)
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < s->n_early; i++) {
		const struct vol_ckfile *file;

		snprintf(name, sizeof(name), VOL_CKSTREAM_PAGES,
			 s->early[i].number);
		file = vol_ckmanifest_file(&s->m, name);
		if (!file || file->bytes != s->early[i].bytes)
			return broken(err,
				      "its memory is not as its manifest says");
		s->came[file - s->m.file] = true;
	}
	return 0;
}

/* ---- its files ---- */

static int begin_file(struct vol_ckstream *s, struct vol_error *err)
{
	s->left = s->m.file[s->file].bytes;
	return s->sink.begin(&s->m.file[s->file], s->sink.arg, err);
}

static int end_file(struct vol_ckstream *s, struct vol_error *err)
{
	if (s->sink.end(&s->m.file[s->file], s->sink.arg, err) < 0)
		return -1;
	s->file++;
	return 0;
}

/* Empty ones take no bytes. */
static int next_file(struct vol_ckstream *s, struct vol_error *err)
{
	while (s->file < s->m.n_files) {
		if (s->came[s->file]) {
			s->file++;
			continue;
		}
		if (begin_file(s, err) < 0)
			return -1;
		if (s->left > 0)
			return 0;
		if (end_file(s, err) < 0)
			return -1;
	}
	s->part = COMPLETE;
	return 0;
}

static int take_data(struct vol_ckstream *s, const uint8_t *data, size_t len,
		     struct vol_error *err)
{
	if (s->sink.data(data, len, s->sink.arg, err) < 0)
		return -1;
	s->left -= len;
	if (s->left > 0)
		return 0;
	return end_file(s, err) < 0 ? -1 : next_file(s, err);
}

/* ---- what is before them ---- */

static int begin_text(struct vol_ckstream *s, uint32_t max,
		      struct vol_error *err)
{
	uint32_t size;

	memcpy(&size, s->length, sizeof(size));
	s->size = be32toh(size);
	s->got = 0;
	if (s->size == 0 || s->size > max)
		return broken(err, s->part == MANIFEST_LENGTH
					   ? "length of the manifest"
					   : "length of the record");
	s->text = malloc(s->size + 1);
	if (!s->text)
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	s->text[s->size] = '\0';
	s->part++;
	return 0;
}

static int end_text(struct vol_ckstream *s, struct vol_error *err)
{
	size_t len = s->size;

	s->size = s->got = 0;
	if (s->part == RECORD) {
		s->record = s->text;
		s->text = NULL;
		s->part = FILES;
		return s->sink.accept(&s->m, s->record, len, s->sink.arg, err) <
				       0
			       ? -1
			       : next_file(s, err);
	}
	if (vol_ckmanifest_decode(s->text, len, &s->m, err) < 0) {
		errno = errno == ENOMEM ? ENOMEM : EBADMSG;
		return vol_error_prefix(err, "manifest");
	}
	if (match_early(s, err) < 0)
		return -1;
	free(s->text);
	s->text = NULL;
	s->part = RECORD_LENGTH;
	return 0;
}

/* Bytes of the part that were taken; 0 after an error. */
static size_t take(struct vol_ckstream *s, const uint8_t *data, size_t len,
		   struct vol_error *err)
{
	bool text = s->part == MANIFEST || s->part == RECORD;
	size_t size = text                    ? s->size
		      : s->part == PIECE_HEAD ? 2 * sizeof(uint32_t)
					      : sizeof(uint32_t);
	size_t want = size - s->got;
	uint8_t *to = text ? (uint8_t *)s->text : s->length;
	int rc = 0;

	if (s->part == FILES || s->part == PIECE) {
		len = len < s->left ? len : (size_t)s->left;
		rc = s->part == FILES ? take_data(s, data, len, err)
				      : take_piece(s, data, len, err);
		return rc < 0 ? 0 : len;
	}
	len = len < want ? len : want;
	memcpy(to + s->got, data, len);
	s->got += len;
	if (len < want)
		return len;
	if (s->part == PIECE_HEAD)
		rc = begin_piece(s, err);
	else if (!text)
		rc = begin_text(s,
				s->part == MANIFEST_LENGTH
					? VOL_CKMANIFEST_MAX
					: VOL_CKSTREAM_RECORD_MAX,
				err);
	else
		rc = end_text(s, err);
	return rc < 0 ? 0 : len;
}

static int take_all(struct vol_ckstream *s, size_t len, struct vol_error *err)
{
	for (size_t at = 0, n; at < len; at += n) {
		if (s->part == COMPLETE)
			return broken(err, "something is behind its end");
		n = take(s, s->out + at, len - at, err);
		if (n == 0)
			return -1;
	}
	return 0;
}

/* ---- bytes as they come ---- */

static int take_magic(struct vol_ckstream *s, ZSTD_inBuffer *in,
		      struct vol_error *err)
{
	const char *magic = VOL_CKSTREAM_MAGIC;
	const uint8_t *data = in->src;
	size_t len = strlen(magic);

	for (; in->pos < in->size && s->magic < len; in->pos++)
		if (data[in->pos] != (uint8_t)magic[s->magic++])
			return broken(err,
				      s->magic == len
					      ? "it is one of another version"
					      : "it does not begin like one");
	return 0;
}

/* Once more what does not fit into out at once. */
static int expand(struct vol_ckstream *s, ZSTD_inBuffer *in,
		  struct vol_error *err)
{
	ZSTD_outBuffer out = {s->out, sizeof(s->out), 0};

	do {
		size_t rc;

		out.pos = 0;
		rc = ZSTD_decompressStream(s->zstd, &out, in);
		if (ZSTD_isError(rc))
			return broken(err, ZSTD_getErrorName(rc));
		s->closed = rc == 0;
		if (take_all(s, out.pos, err) < 0)
			return -1;
	} while (!s->closed && (in->pos < in->size || out.pos == out.size));
	return 0;
}

int vol_ckstream_feed(struct vol_ckstream *s, const void *data, size_t len,
		      struct vol_error *err)
{
	ZSTD_inBuffer in = {data, len, 0};

	if (take_magic(s, &in, err) < 0)
		return -1;
	if (in.pos < in.size && !s->closed && expand(s, &in, err) < 0)
		return -1;
	if (in.pos < in.size)
		return broken(err, "something is behind its end");
	return 0;
}

int vol_ckstream_end(struct vol_ckstream *s, struct vol_error *err)
{
	if (s->part == COMPLETE && s->closed)
		return 0;
	return broken(err, "it ends in the middle");
}
