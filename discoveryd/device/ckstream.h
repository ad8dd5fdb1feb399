/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckstream.h - a saved job as one stream of bytes
 *
 *	"VOLCKPT3"	8 bytes; all that follows is one frame of zstd, with
 *			its checksum
 *	pieces		each: length and number, u32, big-endian, and so many
 *			bytes more of pages-NUMBER.img; numbers rise, and a
 *			file's pieces are one behind the other
 *	end of them	length and number are 0
 *	length		u32, big-endian, of the manifest
 *	manifest	as ckmanifest.h encodes it
 *	length		u32, big-endian, of the record
 *	record		the file "step" of sandbox/checkpoint.h
 *	files		the bytes of each other image file, in the manifest's
 *			order
 *
 * Nothing is behind that.  Pieces let memory be sent while it is written down;
 * where it was written down before, there are none.  Names and lengths of all
 * files are the manifest's; the record says in its own words what the manifest
 * says too, and whoever reads compares (vol_ckrecord_check).  Nothing in a
 * stream proves that it is whole as it was written: zstd's checksum finds
 * faults of disks and programs.  Against people it is whoever brings it that
 * has the SHA-256 of all of it (carrier.h).  Digests of files would be by the
 * same hand as the files.
 *
 * Writing needs a folder of files, reading knows none: it hands out what comes
 * and bounds it, whoever wrote the stream.
 */
#ifndef VOL_CKSTREAM_H
#define VOL_CKSTREAM_H

#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>

#include "ckmanifest.h"
#include "error.h"

#define VOL_CKSTREAM_MAGIC "VOLCKPT3"
/* Fast enough for a network of 1 GBit/s on one core (zstd(1)). */
#define VOL_CKSTREAM_LEVEL 1
/* A reader's window, as a power of two: level 1 takes 2^19 bytes. */
#define VOL_CKSTREAM_WINDOW 23
/* As VOL_RECORD_MAX of sandbox/checkpoint.h, in bytes. */
#define VOL_CKSTREAM_RECORD_MAX (4096u * 1024)

/* The image file that pieces with this number are of. */
#define VOL_CKSTREAM_PAGES "pages-%" PRIu32 ".img"

struct vol_ckwriter;

/* Into a descriptor, which stays the caller's; nothing is written before there
 * is something to say.  NULL: ENOMEM. */
struct vol_ckwriter *vol_ckwriter_create(int to, struct vol_error *err);
/* So many bytes more, at least one, of pages-NUMBER.img, NUMBER from 1.  EINVAL
 * for a number that is lower than the last one. */
int vol_ckwriter_pages(struct vol_ckwriter *w, uint32_t number,
		       const void *data, size_t len, struct vol_error *err);
/* The rest, once.  manifest: encoded from m, which is sorted by that; dir: the
 * folder that its files are in, of those that went in pieces not the bytes.
 * errno of files and of the descriptor; EINVAL when a file is not as long as
 * the manifest says. */
int vol_ckwriter_finish(struct vol_ckwriter *w, const char *manifest,
			size_t manifest_len, const char *record,
			size_t record_len, const struct vol_ckmanifest *m,
			int dir, struct vol_error *err);
/* NULL-safe, keeps errno. */
void vol_ckwriter_destroy(struct vol_ckwriter *w);

/* What is done with what was read; each -1 ends it, with its errno. */
struct vol_ckstream_sink {
	/* Before all else: so many bytes more of pages-NUMBER.img.  A file
	 * begins where the number is another one. */
	int (*pages)(uint32_t number, const void *data, size_t len, void *arg,
		     struct vol_error *err);
	/* Once, before all other files: is it wanted?  Files that came before
	 * are as long as it says.  Both last as long as the reader. */
	int (*accept)(const struct vol_ckmanifest *m, const char *record,
		      size_t record_len, void *arg, struct vol_error *err);
	/* Another file begins; its bytes, so many as the manifest says; they
	 * were all of them. */
	int (*begin)(const struct vol_ckfile *file, void *arg,
		     struct vol_error *err);
	int (*data)(const void *data, size_t len, void *arg,
		    struct vol_error *err);
	int (*end)(const struct vol_ckfile *file, void *arg,
		   struct vol_error *err);
	void *arg;
};

struct vol_ckstream;

struct vol_ckstream *vol_ckstream_create(const struct vol_ckstream_sink *sink,
					 struct vol_error *err);
/* The next bytes, however many.  EBADMSG: it is no stream, one of another
 * version, or one that was changed; ENOMEM; or what the sink said.  After -1 it
 * is of no more use. */
int vol_ckstream_feed(struct vol_ckstream *s, const void *data, size_t len,
		      struct vol_error *err);
/* That was all: EBADMSG when it was not. */
int vol_ckstream_end(struct vol_ckstream *s, struct vol_error *err);
/* NULL-safe, keeps errno. */
void vol_ckstream_destroy(struct vol_ckstream *s);

#endif
