/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckverify_memory.c - address spaces, and the files that are mapped in them */
#include "config.h"

#include "ckverify_private.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bytes.h"

/* criu/include/image.h: what of VMA_... an image has of a job.  Not among them:
 * VMA_AREA_SOCKET (packet rings), _UPROBES, VMA_EXT_PLUGIN, VMA_UNSUPP, and
 * what CRIU notes for itself only. */
#define FILE_MAPPED (1u << 6 | 1u << 7)
#define AREA_MEMFD  (1u << 14)
#define STATUS      0x1f7efu /* bits 0-3, 5-10, 12-16 */

/* More than a process can have. */
#define PAGES_MAX (UINT64_C(1) << 40)

static int note_mapped(struct vol_ckset *set, const struct vol_ckopen *o,
		       struct vol_error *err)
{
	const struct vol_ckrow *row = VOL_CKROW(vol_ckreg_rows, REG, build_id);
	struct vol_ckmapped_file file = {.bytes = o->bytes};
	struct vol_ckbytes rest = o->entry;
	struct vol_ckfield f;

	if (!set->seen || o->place->kind != VOL_CKPLACE_EXTERNAL ||
	    !(o->place->flags & MS_RDONLY) || !S_ISREG(o->mode))
		return 0;
	memcpy(file.path, o->path.at, o->path.len);
	while (vol_ckproto_find(&rest, row->number, &f) &&
	       file.n_build + 4 <= VOL_CKBUILD_SIZE) {
		vol_put32(file.build + file.n_build, (uint32_t)f.value);
		file.n_build += 4;
	}
	return vol_ckmapped_add(&set->seen->mapped, &file, err);
}

static int check_file(struct vol_ckset *set, uint64_t id, struct vol_error *err)
{
	const struct vol_ckopen *o =
		id > UINT32_MAX
			? NULL
			: vol_ckset_open(set, VOL_CKFD_REG, (uint32_t)id);

	if (!o)
		return vol_ckrefuse(err, "there is no file %" PRIu64, id);
	return note_mapped(set, o, err);
}

static int check_vma(struct vol_ckset *set, struct vol_ckbytes vma,
		     struct vol_error *err)
{
	struct vol_ckvalue v[VOL_CKROWS_MAX];
	uint64_t status;

	if (vol_ckproto_decode(vma, vol_ckvma_rows, v, err) < 0)
		return -1;
	status = (uint64_t)v[VOL_CKVMA_status].number;
	if (status & ~(uint64_t)STATUS)
		return vol_ckrefuse(err, "status is 0x%" PRIx64, status);
	if ((uint64_t)v[VOL_CKVMA_start].number >=
	    (uint64_t)v[VOL_CKVMA_end].number)
		return vol_ckrefuse(err, "it ends before it starts");
	if (status & FILE_MAPPED && !(status & AREA_MEMFD))
		return check_file(set, (uint64_t)v[VOL_CKVMA_shmid].number,
				  err);
	return 0;
}

int vol_ckcheck_mm(struct vol_ckset *set, struct vol_ckentry *e,
		   struct vol_error *err)
{
	const struct vol_ckvalue *dumpable = &e->value[VOL_CKMM_dumpable];
	struct vol_ckbytes rest = e->message;
	struct vol_ckfield f;
	unsigned int n = 0;

	if (!vol_ckset_process(set, (uint32_t)e->member->name.id))
		return vol_ckrefuse(err, "there is no such process");
	/* 2, core files for root only, is of programs with privileges. */
	if (!dumpable->n || dumpable->number < 0 || dumpable->number > 1)
		return vol_ckrefuse(err, "dumpable is %" PRId64,
				    dumpable->number);
	if (check_file(set, (uint64_t)e->value[VOL_CKMM_exe_file_id].number,
		       err) < 0)
		return vol_error_prefix(err, "exe_file_id");
	while (vol_ckproto_find(&rest, e->rows[VOL_CKMM_vmas].number, &f)) {
		n++;
		if (check_vma(set, f.bytes, err) < 0)
			return vol_error_prefix(err, "vma %u", n);
	}
	return 0;
}

/* Is there a folder of memory that was written before this one's? */
static bool has_earlier(const struct vol_ckset *set, unsigned int pre)
{
	if (pre > 0)
		return pre > 1;
	return set->member[set->n_members - 1].name.pre > 0;
}

/* What follows is about this file. */
static int take_head(struct vol_ckset *set, struct vol_ckentry *e,
		     struct vol_error *err)
{
	const struct vol_ckrow head[] = {
		{"pages_id", 1, VOL_CKTYPE_U32, VOL_CKCOUNT_REQUIRED},
		{NULL, 0, 0, 0},
	};
	struct vol_ckvalue v[VOL_CKROWS_MAX];
	struct vol_ckpages *grown;

	if (vol_ckproto_decode(e->message, head, v, err) < 0)
		return -1;
	grown = vol_ckgrow(set->pages, set->n_pages, sizeof(*grown), err);
	if (!grown)
		return -1;
	set->pages = grown;
	set->pages[set->n_pages++] = (struct vol_ckpages){
		.pre = e->member->name.pre, .id = (uint32_t)v[0].number};
	return 0;
}

int vol_ckcheck_pagemap(struct vol_ckset *set, struct vol_ckentry *e,
			struct vol_error *err)
{
	struct vol_ckvalue v[VOL_CKROWS_MAX];
	struct vol_ckpages *pages;
	bool in_parent;
	int64_t flags;
	uint64_t n;

	if (e->entries->n == 1)
		return take_head(set, e, err);
	if (vol_ckproto_decode(e->message, vol_ckpagemap_rows, v, err) < 0)
		return -1;
	flags = v[VOL_CKPAGEMAP_flags].number;
	in_parent =
		v[VOL_CKPAGEMAP_in_parent].number || flags & VOL_CKPAGE_PARENT;
	if (in_parent && !has_earlier(set, e->member->name.pre))
		return vol_ckrefuse(err, "pages are in an image that is not "
					 "there");
	/* Others would come from the machine that the job left. */
	if (flags & ~(int64_t)(VOL_CKPAGE_PARENT | VOL_CKPAGE_LAZY |
			       VOL_CKPAGE_PRESENT) ||
	    !(flags & (VOL_CKPAGE_PARENT | VOL_CKPAGE_PRESENT)))
		return vol_ckrefuse(err, "flags are %" PRId64, flags);
	n = (uint64_t)v[v[VOL_CKPAGEMAP_nr_pages].n
				? VOL_CKPAGEMAP_nr_pages
				: VOL_CKPAGEMAP_compat_nr_pages]
		    .number;
	pages = &set->pages[set->n_pages - 1];
	if (n > PAGES_MAX - pages->n)
		return vol_ckrefuse(err, "%" PRIu64 " pages", n);
	if (!in_parent)
		pages->n += n;
	return 0;
}

/* A file that is cut would end a restore when half of the job is there. */
int vol_ckcheck_pages(struct vol_ckset *set, struct vol_error *err)
{
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

	for (size_t i = 0; i < set->n_pages; i++) {
		const struct vol_ckpages *p = &set->pages[i];
		const struct vol_ckmember *m =
			vol_ckset_find_in(set, p->pre, VOL_CKKIND_PAGES, p->id);
		uint64_t bytes = m ? m->input->bytes : 0;

		if (bytes != p->n * page)
			return vol_errorf_errno(err, EBADMSG,
						"pages-%" PRIu32
						".img has %" PRIu64
						" bytes, want %" PRIu64,
						p->id, bytes, p->n * page);
	}
	return 0;
}
