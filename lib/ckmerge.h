/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckmerge.h - memory that was written down in two parts, made one; pure
 *
 * What CRIU writes while a job runs (criu pre-dump) and what it writes when
 * that is stopped are a pagemap and a file of pages each.  In the second one
 * entries are "in the parent" where nothing was written since.  A plan says
 * which bytes of which file of pages, one after the other, are a file of pages
 * that needs no other one, and what its pagemap is.
 *
 * A pagemap (CRIU's images/pagemap.proto, criu/pagemap.c): a head with the
 * number of its file of pages, then entries by rising addresses.  The pages of
 * those that are present are in that file, one after the other, and nothing
 * else is.
 */
#ifndef VOL_CKMERGE_H
#define VOL_CKMERGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ckproto.h"
#include "error.h"

struct vol_ckmemory {
	struct vol_ckbytes pagemap; /* the whole file; len 0: there is none */
	uint64_t pages;             /* length of its file of pages, bytes */
};

/* So many bytes of a file of pages. */
struct vol_ckcopy {
	bool earlier; /* of the first part's */
	uint64_t from, bytes;
};

struct vol_ckmerge {
	uint64_t filled; /* bytes that come of the first part; 0: the second one
			  * is whole, and there is nothing to be done */
	uint8_t *pagemap; /* of the result */
	size_t len;
	struct vol_ckcopy *copy; /* of which its pages are made */
	size_t n;
};

/* The number of its file of pages.  EBADMSG. */
int vol_ckmerge_pages_id(struct vol_ckbytes pagemap, uint32_t *id,
			 struct vol_error *err);

/* page: bytes of one.  EBADMSG: one of them is not what CRIU writes, or what is
 * to be in the first one is not there.  The caller frees with
 * vol_ckmerge_clear, also after -1. */
int vol_ckmerge(const struct vol_ckmemory *earlier,
		const struct vol_ckmemory *last, uint64_t page,
		struct vol_ckmerge *merge, struct vol_error *err);
void vol_ckmerge_clear(struct vol_ckmerge *merge);

#endif
