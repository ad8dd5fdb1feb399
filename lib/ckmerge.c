/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckmerge.c - memory that was written down in two parts, made one; pure */
#include "config.h"

#include "ckmerge.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "ckmessages.h"

/* Four fields with their tags, three of up to 64 bits, and the length. */
#define ENTRY_MAX 48

/* One entry, and where its pages are. */
struct run {
	uint64_t vaddr, pages, from;
	uint32_t flags;
	bool wide; /* CRIU 4.2 and later count in 64 bits, in another field */
};

struct reader {
	const char *name;
	struct vol_ckentries entries;
	uint64_t page;
	uint64_t length, used; /* of the file of pages, bytes */
	uint64_t end;          /* address behind the last entry */
	struct run run;
	bool more; /* run is one */
};

static int bad(const struct reader *r, struct vol_error *err, const char *why)
{
	return vol_errorf_errno(err, EBADMSG, "%s: entry %u: %s", r->name,
				r->entries.n, why);
}

static int read_head(struct reader *r, uint32_t *id, struct vol_error *err)
{
	const struct vol_ckrow head[] = {
		{"pages_id", 1, VOL_CKTYPE_U32, VOL_CKCOUNT_REQUIRED},
		{NULL, 0, 0, 0},
	};
	struct vol_ckvalue v[VOL_CKROWS_MAX];
	struct vol_ckbytes message;
	int rc = vol_ckentries_next(&r->entries, &message, err);

	if (rc == 0)
		return bad(r, err, "there is none");
	if (rc < 0 || vol_ckproto_decode(message, head, v, err) < 0)
		return vol_error_prefix(err, "%s", r->name);
	*id = (uint32_t)v[0].number;
	return 0;
}

static int begin(struct reader *r, const char *name, struct vol_ckbytes pagemap,
		 uint32_t *id, struct vol_error *err)
{
	*r = (struct reader){.name = name};
	if (vol_ckentries_open(&r->entries, VOL_CKKIND_PAGEMAP, pagemap.at,
			       pagemap.len, err) < 0)
		return vol_error_prefix(err, "%s", name);
	return read_head(r, id, err);
}

int vol_ckmerge_pages_id(struct vol_ckbytes pagemap, uint32_t *id,
			 struct vol_error *err)
{
	struct reader r;

	return begin(&r, "pagemap", pagemap, id, err);
}

/* As CRIU reads it (init_compat_pagemap_entry): older ones say by a field of
 * its own what is in the parent, and nothing of the rest. */
static void take(struct run *run, const struct vol_ckvalue *v)
{
	*run = (struct run){
		.vaddr = (uint64_t)v[VOL_CKPAGEMAP_vaddr].number,
		.wide = v[VOL_CKPAGEMAP_nr_pages].n > 0,
		.flags = (uint32_t)v[VOL_CKPAGEMAP_flags].number,
	};
	run->pages =
		(uint64_t)(run->wide ? v[VOL_CKPAGEMAP_nr_pages].number
				     : v[VOL_CKPAGEMAP_compat_nr_pages].number);
	if (v[VOL_CKPAGEMAP_in_parent].number)
		run->flags |= VOL_CKPAGE_PARENT;
	else if (!v[VOL_CKPAGEMAP_flags].n)
		run->flags = VOL_CKPAGE_PRESENT;
}

static int check(struct reader *r, struct vol_error *err)
{
	const uint32_t places = VOL_CKPAGE_PARENT | VOL_CKPAGE_PRESENT;
	const struct run *run = &r->run;
	uint64_t bytes;

	if (run->flags & ~(places | VOL_CKPAGE_LAZY) ||
	    !(run->flags & places) || (run->flags & places) == places)
		return bad(r, err, "its pages are nowhere, or in two places");
	if (run->vaddr % r->page || run->pages == 0 ||
	    run->pages > (UINT64_MAX - run->vaddr) / r->page)
		return bad(r, err, "it is no range of pages");
	if (run->vaddr < r->end)
		return bad(r, err, "it begins before the one before it ends");
	bytes = run->pages * r->page;
	r->end = run->vaddr + bytes;
	if (!(run->flags & VOL_CKPAGE_PRESENT))
		return 0;
	if (bytes > r->length - r->used)
		return bad(r, err, "its pages are not all there");
	r->run.from = r->used;
	r->used += bytes;
	return 0;
}

static int next(struct reader *r, struct vol_error *err)
{
	struct vol_ckvalue v[VOL_CKROWS_MAX];
	struct vol_ckbytes message;
	int rc = vol_ckentries_next(&r->entries, &message, err);

	r->more = rc > 0;
	if (rc < 0 || (rc > 0 && vol_ckproto_decode(message, vol_ckpagemap_rows,
						    v, err) < 0))
		return vol_error_prefix(err, "%s", r->name);
	if (rc > 0) {
		take(&r->run, v);
		return check(r, err);
	}
	if (r->used != r->length)
		return vol_errorf_errno(err, EBADMSG,
					"%s: %" PRIu64
					" bytes of pages, %" PRIu64
					" have a place",
					r->name, r->length, r->used);
	return 0;
}

/* --- the result ------------------------------------------------------------
 */

struct writer {
	struct vol_ckmerge *merge;
	size_t room, copies;
	uint64_t page;
	struct run run; /* the last one, not written yet; pages 0: none */
};

static void put_varint(uint8_t **at, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		*(*at)++ = (uint8_t)(v | 0x80);
	*(*at)++ = (uint8_t)v;
}

static void put_field(uint8_t **at, unsigned int number, uint64_t value)
{
	put_varint(at, number << 3 | VOL_CKWIRE_VARINT);
	put_varint(at, value);
}

static void *grown(void *list, size_t *room, size_t size)
{
	size_t more = *room ? *room * 2 : 256;
	void *p = reallocarray(list, more, size);

	if (p)
		*room = more;
	return p;
}

static int no_memory(struct vol_error *err)
{
	return vol_errorf_errno(err, ENOMEM, "out of memory");
}

static int put_bytes(struct writer *w, const uint8_t *bytes, size_t len,
		     struct vol_error *err)
{
	struct vol_ckmerge *m = w->merge;
	uint8_t *p;

	while (w->room - m->len < len) {
		p = grown(m->pagemap, &w->room, 1);
		if (!p)
			return no_memory(err);
		m->pagemap = p;
	}
	memcpy(m->pagemap + m->len, bytes, len);
	m->len += len;
	return 0;
}

/* In CRIU's order, by rising numbers. */
static int put_run(struct writer *w, struct vol_error *err)
{
	uint8_t entry[4 + ENTRY_MAX], *at = entry + 4;
	const struct run *run = &w->run;

	if (run->pages == 0)
		return 0;
	put_field(&at, 1, run->vaddr);
	put_field(&at, 2, run->wide ? 0 : run->pages);
	put_field(&at, 4, run->flags);
	if (run->wide)
		put_field(&at, 5, run->pages);
	vol_put32(entry, (uint32_t)(at - entry - 4));
	return put_bytes(w, entry, (size_t)(at - entry), err);
}

static int put_copy(struct writer *w, bool earlier, uint64_t from,
		    uint64_t bytes, struct vol_error *err)
{
	struct vol_ckmerge *m = w->merge;
	struct vol_ckcopy *last = m->n ? &m->copy[m->n - 1] : NULL;
	void *p;

	if (earlier)
		m->filled += bytes;
	if (last && last->earlier == earlier &&
	    last->from + last->bytes == from) {
		last->bytes += bytes;
		return 0;
	}
	if (m->n == w->copies) {
		p = grown(m->copy, &w->copies, sizeof(*m->copy));
		if (!p)
			return no_memory(err);
		m->copy = p;
	}
	m->copy[m->n++] = (struct vol_ckcopy){earlier, from, bytes};
	return 0;
}

/* Neighbours of one kind are one entry, as when they are written at once. */
static int put(struct writer *w, const struct run *run, bool earlier,
	       struct vol_error *err)
{
	struct run *last = &w->run;

	if (put_copy(w, earlier, run->from, run->pages * w->page, err) < 0)
		return -1;
	if (last->pages && last->vaddr + last->pages * w->page == run->vaddr &&
	    last->flags == run->flags && last->wide == run->wide &&
	    (run->wide || run->pages <= UINT32_MAX - last->pages)) {
		last->pages += run->pages;
		return 0;
	}
	if (put_run(w, err) < 0)
		return -1;
	*last = *run;
	return 0;
}

/* --- the two ---------------------------------------------------------------
 */

/* Of last's entry: all of it, which may be in several of earlier's. */
static int fill(struct writer *w, struct reader *earlier,
		const struct reader *last, struct vol_error *err)
{
	struct run want = last->run, *have = &earlier->run, part;
	uint64_t skip;

	while (want.pages > 0) {
		while (earlier->more && earlier->end <= want.vaddr)
			if (next(earlier, err) < 0)
				return -1;
		if (!earlier->more || have->vaddr > want.vaddr)
			return vol_errorf_errno(err, EBADMSG,
						"memory at 0x%" PRIx64
						" was not written before",
						want.vaddr);
		skip = (want.vaddr - have->vaddr) / w->page;
		part = (struct run){
			.vaddr = want.vaddr,
			.pages = have->pages - skip,
			.from = have->from + skip * w->page,
			.flags = have->flags,
			.wide = want.wide,
		};
		if (!(part.flags & VOL_CKPAGE_PRESENT))
			return bad(earlier, err, "nothing was before it");
		if (part.pages > want.pages)
			part.pages = want.pages;
		if (put(w, &part, true, err) < 0)
			return -1;
		want.vaddr += part.pages * w->page;
		want.pages -= part.pages;
	}
	return 0;
}

static int merge_all(struct writer *w, struct reader *earlier,
		     struct reader *last, struct vol_error *err)
{
	if (next(last, err) < 0)
		return -1;
	while (last->more) {
		if ((last->run.flags & VOL_CKPAGE_PRESENT
			     ? put(w, &last->run, false, err)
			     : fill(w, earlier, last, err)) < 0 ||
		    next(last, err) < 0)
			return -1;
	}
	/* All of it is what it should be, or nothing of it is used. */
	while (earlier->more)
		if (next(earlier, err) < 0)
			return -1;
	return put_run(w, err);
}

int vol_ckmerge(const struct vol_ckmemory *earlier,
		const struct vol_ckmemory *last, uint64_t page,
		struct vol_ckmerge *merge, struct vol_error *err)
{
	struct writer w = {.merge = merge, .page = page};
	struct reader a = {.more = false}, b;
	size_t heads;
	uint32_t id;

	*merge = (struct vol_ckmerge){.filled = 0};
	if (begin(&b, "pagemap", last->pagemap, &id, err) < 0)
		return -1;
	b.page = page;
	b.length = last->pages;
	heads = (size_t)(b.entries.rest.at - last->pagemap.at);
	if (put_bytes(&w, last->pagemap.at, heads, err) < 0)
		return -1;
	if (earlier->pagemap.len > 0) {
		if (begin(&a, "earlier pagemap", earlier->pagemap, &id, err) <
		    0)
			return -1;
		a.page = page;
		a.length = earlier->pages;
		if (next(&a, err) < 0)
			return -1;
	}
	return merge_all(&w, &a, &b, err);
}

void vol_ckmerge_clear(struct vol_ckmerge *merge)
{
	free(merge->pagemap);
	free(merge->copy);
	*merge = (struct vol_ckmerge){.filled = 0};
}
