/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckstream_read.c - a saved job as one stream of bytes: reading
 *
 * A part at a time: each is so long as was said before it, and the lengths of
 * the files are in the manifest.
 */
#include "config.h"

#include "device/ckstream.h"

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#define CHUNK (128 * 1024) /* ZSTD_DStreamOutSize() */

enum part {
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
	uint8_t length[4];
	char *text; /* of the part */
	char *record;
	size_t size, got; /* of the part that it is */
	struct vol_ckmanifest m;
	size_t file;   /* which */
	uint64_t left; /* of it */
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
		free(s->text);
		free(s->record);
		free(s);
	}
	errno = saved;
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
	free(s->text);
	s->text = NULL;
	s->part = RECORD_LENGTH;
	return 0;
}

/* Bytes of the part that were taken; 0 after an error. */
static size_t take(struct vol_ckstream *s, const uint8_t *data, size_t len,
		   struct vol_error *err)
{
	bool number = s->part == MANIFEST_LENGTH || s->part == RECORD_LENGTH;
	size_t want = number ? sizeof(s->length) - s->got : s->size - s->got;
	uint8_t *to = number ? s->length : (uint8_t *)s->text;
	int rc = 0;

	if (s->part == FILES) {
		len = len < s->left ? len : (size_t)s->left;
		return take_data(s, data, len, err) < 0 ? 0 : len;
	}
	len = len < want ? len : want;
	memcpy(to + s->got, data, len);
	s->got += len;
	if (len < want)
		return len;
	if (number)
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
