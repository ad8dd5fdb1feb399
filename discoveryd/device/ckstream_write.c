/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckstream_write.c - a saved job as one stream of bytes: writing */
#include "config.h"

#include "device/ckstream.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zstd.h>

#include "atomicfile.h"
#include "cleanup.h"

#define CHUNK (128 * 1024) /* ZSTD_CStreamInSize() */

struct vol_ckwriter {
	int to;
	ZSTD_CCtx *zstd;
	bool begun; /* something was written */
	/* Numbers of the files that went in pieces, rising. */
	uint32_t *number;
	size_t n;
	uint8_t in[CHUNK], out[CHUNK];
};

static int put(int to, const void *data, size_t len, struct vol_error *err)
{
	return vol_write_all(to, data, len) < 0
		       ? vol_errorf(err, "image not written: %s",
				    strerror(errno))
		       : 0;
}

static int put_out(struct vol_ckwriter *w, size_t len, struct vol_error *err)
{
	const char *magic = VOL_CKSTREAM_MAGIC;

	if (!w->begun && put(w->to, magic, strlen(magic), err) < 0)
		return -1;
	w->begun = true;
	return put(w->to, w->out, len, err);
}

static int squeeze(struct vol_ckwriter *w, const void *data, size_t len,
		   ZSTD_EndDirective how, struct vol_error *err)
{
	ZSTD_inBuffer in = {data, len, 0};
	size_t left;

	do {
		ZSTD_outBuffer out = {w->out, sizeof(w->out), 0};

		left = ZSTD_compressStream2(w->zstd, &out, &in, how);
		if (ZSTD_isError(left))
			return vol_errorf_errno(err, ENOMEM, "zstd: %s",
						ZSTD_getErrorName(left));
		if (out.pos > 0 && put_out(w, out.pos, err) < 0)
			return -1;
	} while (how == ZSTD_e_end ? left > 0 : in.pos < in.size);
	return 0;
}

static int put_part(struct vol_ckwriter *w, const char *text, size_t len,
		    struct vol_error *err)
{
	uint32_t size = htobe32((uint32_t)len);

	if (squeeze(w, &size, sizeof(size), ZSTD_e_continue, err) < 0)
		return -1;
	return squeeze(w, text, len, ZSTD_e_continue, err);
}

static int put_file(struct vol_ckwriter *w, int dir,
		    const struct vol_ckfile *file, struct vol_error *err)
{
	cleanup_fd int fd =
		openat(dir, file->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	uint64_t bytes = 0;
	ssize_t n = 0;

	while (fd >= 0) {
		n = read(fd, w->in, sizeof(w->in));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		bytes += (uint64_t)n;
		if (squeeze(w, w->in, (size_t)n, ZSTD_e_continue, err) < 0)
			return -1;
	}
	if (fd < 0 || n < 0)
		return vol_errorf(err, "%s: %s", file->name, strerror(errno));
	if (bytes != file->bytes)
		return vol_errorf_errno(err, EINVAL,
					"%s: has %" PRIu64 " bytes, it had "
					"%" PRIu64,
					file->name, bytes, file->bytes);
	return 0;
}

static int by_number(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Before the manifest: a file without bytes has no piece. */
static bool went_before(const struct vol_ckwriter *w,
			const struct vol_ckfile *file)
{
	uint32_t number = vol_ckname_pages(file->name);

	return w->n > 0 &&
	       bsearch(&number, w->number, w->n, sizeof(number), by_number);
}

static int put_head(struct vol_ckwriter *w, size_t len, uint32_t number,
		    struct vol_error *err)
{
	uint32_t head[2] = {htobe32((uint32_t)len), htobe32(number)};

	return squeeze(w, head, sizeof(head), ZSTD_e_continue, err);
}

static int note_number(struct vol_ckwriter *w, uint32_t number,
		       struct vol_error *err)
{
	uint32_t last = w->n > 0 ? w->number[w->n - 1] : 0, *grown;

	if (number == last && last > 0)
		return 0;
	if (number <= last)
		return vol_errorf_errno(err, EINVAL,
					VOL_CKSTREAM_PAGES " is behind "
							   "another one",
					number);
	grown = reallocarray(w->number, w->n + 1, sizeof(*grown));
	if (!grown)
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	w->number = grown;
	w->number[w->n++] = number;
	return 0;
}

int vol_ckwriter_pages(struct vol_ckwriter *w, uint32_t number,
		       const void *data, size_t len, struct vol_error *err)
{
	if (note_number(w, number, err) < 0 ||
	    put_head(w, len, number, err) < 0)
		return -1;
	return squeeze(w, data, len, ZSTD_e_continue, err);
}

int vol_ckwriter_finish(struct vol_ckwriter *w, const char *manifest,
			size_t manifest_len, const char *record,
			size_t record_len, const struct vol_ckmanifest *m,
			int dir, struct vol_error *err)
{
	if (put_head(w, 0, 0, err) < 0 ||
	    put_part(w, manifest, manifest_len, err) < 0 ||
	    put_part(w, record, record_len, err) < 0)
		return -1;
	for (size_t i = 0; i < m->n_files; i++)
		if (!went_before(w, &m->file[i]) &&
		    put_file(w, dir, &m->file[i], err) < 0)
			return -1;
	return squeeze(w, "", 0, ZSTD_e_end, err);
}

void vol_ckwriter_destroy(struct vol_ckwriter *w)
{
	int saved = errno;

	if (w) {
		ZSTD_freeCCtx(w->zstd);
		free(w->number);
		free(w);
	}
	errno = saved;
}

static int prepare(struct vol_ckwriter *w, struct vol_error *err)
{
	w->zstd = ZSTD_createCCtx();
	if (!w->zstd ||
	    ZSTD_isError(ZSTD_CCtx_setParameter(
		    w->zstd, ZSTD_c_compressionLevel, VOL_CKSTREAM_LEVEL)) ||
	    ZSTD_isError(
		    ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_checksumFlag, 1)))
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	return 0;
}

struct vol_ckwriter *vol_ckwriter_create(int to, struct vol_error *err)
{
	struct vol_ckwriter *w = malloc(sizeof(*w));

	if (!w) {
		vol_errorf_errno(err, ENOMEM, "out of memory");
		return NULL;
	}
	memset(w, 0, offsetof(struct vol_ckwriter, in));
	w->to = to;
	if (prepare(w, err) == 0)
		return w;
	vol_ckwriter_destroy(w);
	return NULL;
}
