/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckimage_bed.h - a small set of CRIU images, made by a few lines of encoder
 *
 * Two processes, the second with two threads, as CRIU 4.2 writes them of a job
 * in our sandbox.
 */
#ifndef VOL_TEST_CKIMAGE_BED_H
#define VOL_TEST_CKIMAGE_BED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "ckimage_code.h"
#include "ckimage_parts.h"
#include "ckverify.h"
#include "plain_sha256.h"

#define CK_FILES 48

struct ckbed {
	size_t n;
	struct vol_ckinput input[CK_FILES];
	char name[CK_FILES][VOL_CKNAME_SIZE];
	struct ckbuf file[CK_FILES];
	struct vol_ckplaces places;
	struct vol_ckwant want;
	const char *leave_out;
};

/* A new file, with its magic numbers. */
static inline struct ckbuf *ck_file(struct ckbed *bed, const char *name)
{
	struct vol_ckname parsed = {.kind = VOL_CKKIND_NONE};
	size_t i = bed->n;
	struct ckbuf *b = &bed->file[i];
	uint32_t magic;

	if (i == CK_FILES)
		abort();
	snprintf(bed->name[i], sizeof(bed->name[i]), "%s", name);
	b->n = 0;
	if (vol_ckname_parse(name, &parsed, NULL) == 0 &&
	    (magic = vol_ckkind_magic(parsed.kind)) != 0) {
		if (parsed.kind != VOL_CKKIND_INVENTORY) {
			vol_put32(b->b, VOL_CKMAGIC_COMMON);
			b->n += 4;
		}
		vol_put32(b->b + b->n, magic);
		b->n += 4;
	}
	if (!bed->leave_out || strcmp(bed->leave_out, name) != 0)
		bed->n++;
	return b;
}

static inline void ck_ids(struct ckbuf *b, const struct ckimage *k, int which)
{
	ck_numbers(b, 1, 1, which + 10);
	ck_number(b, 2, which == 1 ? k->files_1 : which + 10);
	ck_numbers(b, 3, 4, which + 10);
	ck_number(b, 5, which ? 11 : 1);
	ck_number(b, 6, which == 0 ? 2 : which == 1 ? k->net_1 : k->net_2);
	ck_number(b, 7, which ? 13 : 3);
	ck_number(b, 8, which ? 14 : 4);
	ck_number(b, 9, which ? 8 : 5);
	ck_number(b, 10, which == 0 ? 6 : which == 1 ? k->user_1 : k->user_2);
	ck_number(b, 11, which == 2 ? k->cgroup_2 : 7);
	ck_number(b, 12, which == 0 ? 9 : which == 1 ? 15 : k->time_2);
}

static inline void ck_build_tree(struct ckbed *bed, const struct ckimage *k)
{
	struct ckbuf m = {0}, ids = {0}, *f = ck_file(bed, "inventory.img");

	ck_number(&m, 1, k->version);
	ck_number(&m, 2, k->fdinfo_per_id);
	ck_ids(&ids, k, 0);
	ck_message(&m, 3, &ids);
	ck_number(&m, 4, 1);
	if (k->plugins != CK_NONE)
		ck_text(&m, 12, "bad");
	ck_number(&m, 14, k->uprobes);
	ck_entry(f, &m);

	f = ck_file(bed, "pstree.img");
	m.n = 0;
	ck_number(&m, 1, 1);
	ck_number(&m, 2, k->ppid_1);
	ck_numbers(&m, 3, 5, 1);
	ck_entry(f, &m);
	m.n = 0;
	ck_number(&m, 1, 2);
	ck_number(&m, 2, k->ppid_2);
	ck_numbers(&m, 3, 4, 2);
	ck_number(&m, 5, k->first_2);
	ck_number(&m, 5, 3);
	ck_number(&m, 5, k->extra_thread);
	ck_entry(f, &m);

	for (int i = 1; i <= 2; i++) {
		f = ck_file(bed, i == 1 ? "ids-1.img" : "ids-2.img");
		m.n = 0;
		ck_ids(&m, k, i);
		ck_entry(f, &m);
	}
}

static inline void ck_creds(struct ckbuf *b, const struct ckimage *k)
{
	const int64_t id[8] = {k->uid,  k->gid,  k->euid,  k->egid,
			       k->suid, k->sgid, k->fsuid, k->fsgid};
	const int64_t cap[4] = {k->inh, k->prm, k->eff, k->bnd};

	for (unsigned int i = 0; i < 8; i++)
		ck_number(b, i + 1, id[i]);
	for (unsigned int i = 0; i < 4; i++) {
		ck_number(b, i + 9, 0);
		ck_number(b, i + 9, cap[i]);
	}
	ck_number(b, 13, k->secbits);
	ck_number(b, 14, k->group);
	if (k->lsm != CK_NONE)
		ck_text(b, 15, "unconfined_t");
	ck_number(b, 18, k->nnp);
	ck_number(b, 19, k->amb);
}

static inline void ck_task(struct ckbuf *b, const struct ckimage *k)
{
	struct ckbuf limits = {0}, one = {0};

	ck_number(b, 1, k->state);
	ck_numbers(b, 2, 5, 0);
	ck_text(b, 6, "job");
	for (int i = 0; i < k->limits; i++) {
		one.n = 0;
		ck_number(&one, 1, i == 4 ? k->cur_core : i == 7 ? 1024 : -1);
		ck_number(&one, 2,
			  i == 4   ? k->max_core
			  : i == 7 ? k->nofile
				   : -1);
		ck_message(&limits, 1, &one);
	}
	ck_message(b, 8, &limits);
	ck_number(b, 11, k->old_mode);
	ck_number(b, 14, k->oom);
}

static inline void ck_core(struct ckbed *bed, const struct ckimage *k,
			   const char *name, bool leader, int64_t mode)
{
	struct ckbuf m = {0}, inner = {0}, creds = {0};
	struct ckbuf *f = ck_file(bed, name);

	ck_number(&m, 1, k->march);
	ck_bytes(&m, 2, "registers", 9);
	if (leader) {
		ck_task(&inner, k);
		ck_message(&m, 3, &inner);
	}
	inner.n = 0;
	ck_numbers(&inner, 1, 2, 0);
	ck_number(&inner, 3, k->nice < 0 ? -2 * k->nice - 1 : 2 * k->nice);
	ck_number(&inner, 4, k->policy);
	ck_number(&inner, 5, k->prio);
	ck_creds(&creds, k);
	ck_message(&inner, 10, &creds);
	ck_number(&inner, 11, mode);
	if (mode == 2)
		ck_number(&inner, 12, k->filter);
	ck_message(&m, 5, &inner);
	ck_entry(f, &m);
}

static inline void ck_build_cores(struct ckbed *bed, const struct ckimage *k)
{
	struct ckimage first = ck_honest;
	struct ckbuf m = {0}, filter = {0}, *f = ck_file(bed, "seccomp.img");
	uint8_t code[sizeof(ck_filter)];

	memcpy(code, ck_filter, sizeof(code));
	code[4] ^= (uint8_t)k->filter_edit;
	ck_bytes(&filter, 1, code, sizeof(code));
	ck_number(&filter, 3, k->filter_flags);
	ck_message(&m, 1, &filter);
	filter.n = 0;
	ck_bytes(&filter, 1, ck_filter, 8);
	ck_number(&filter, 2, k->second_prev);
	ck_number(&filter, 3, k->filter_flags);
	ck_message(&m, 1, &filter);
	ck_entry(f, &m);

	first.filter = 0;
	ck_core(bed, &first, "core-1.img", true, k->mode_1);
	ck_core(bed, k, "core-2.img", true, k->mode);
	ck_core(bed, k, "core-3.img", false, k->mode_3);
}

static inline void ck_extent(struct ckbuf *b, unsigned int field, int64_t first,
			     int64_t lower, int64_t count)
{
	struct ckbuf one = {0};

	ck_number(&one, 1, first);
	ck_number(&one, 2, lower);
	ck_number(&one, 3, count);
	ck_message(b, field, &one);
}

static inline void ck_mount(struct ckbuf *f, int64_t type, int64_t id,
			    int64_t device, int64_t parent, int64_t flags,
			    const char *const text[5], int64_t shared)
{
	struct ckbuf m = {0};

	ck_number(&m, 1, type);
	ck_number(&m, 2, id);
	ck_number(&m, 3, device);
	ck_number(&m, 4, parent);
	ck_number(&m, 5, flags);
	for (unsigned int i = 0; i < 4; i++)
		ck_text(&m, i + 6, text[i]);
	ck_number(&m, 10, shared);
	ck_number(&m, 11, 0);
	ck_number(&m, 17, 0);
	ck_text(&m, 18, text[4]);
	ck_entry(f, &m);
}

/* root, mount point, source, options, key */
#define CK_TEXT(...)           \
	(const char *const[5]) \
	{                      \
		__VA_ARGS__    \
	}

static inline void ck_build_mounts(struct ckbed *bed, const struct ckimage *k)
{
	struct ckbuf m = {0}, *f = ck_file(bed, "userns-19.img");

	ck_extent(&m, 1, 0, k->lower, k->count);
	ck_extent(&m, 2, 0, CK_BASE, 65536);
	if (k->extra_map != CK_NONE)
		ck_extent(&m, 1, 70000, 0, 1);
	ck_entry(f, &m);

	f = ck_file(bed, "mountpoints-8.img");
	ck_mount(f, 5, 101, 40, 100, 6,
		 CK_TEXT("/", "/", "root", "size=49152k", NULL), 0);
	ck_mount(f, k->usr_type, 102, 41, 101, k->usr_flags,
		 CK_TEXT("/usr", "/usr", "/dev/sda1", "rw", k->usr_key), 0);
	ck_mount(f, k->tmp_type, 103, k->tmp_device, k->tmp_parent,
		 k->tmp_flags,
		 CK_TEXT(k->tmp_root, k->tmp_point, k->tmp_source,
			 k->tmp_options, k->tmp_key),
		 k->tmp_shared);
	ck_mount(f, 0, 104, 41, 101, 6,
		 CK_TEXT("/srv/work", "/work", "/dev/sda1", "", "m1"), 0);
	ck_mount(f, 3, 105, 44, 101, 10,
		 CK_TEXT("/null", "/dev/null", "dev", "", "m2"), 0);
	ck_mount(f, 1, 106, 45, 101, 14,
		 CK_TEXT("/", "/proc", "proc", "", NULL), 0);
	if (k->twice != CK_NONE)
		ck_mount(f, 1, 107, 45, 106, 14,
			 CK_TEXT("/", "/proc", "proc", "", NULL), 0);
}

static inline void ck_fown(struct ckbuf *b, unsigned int field, int64_t uid)
{
	struct ckbuf m = {0};

	ck_numbers(&m, 1, 2, uid);
	ck_numbers(&m, 3, 4, 0);
	ck_number(&m, 5, uid ? 1 : 0);
	ck_message(b, field, &m);
}

/* A file_entry of a kind, with its message in the field. */
static inline void ck_open(struct ckbuf *f, int64_t type, int64_t id,
			   unsigned int field, const struct ckbuf *inner)
{
	struct ckbuf m = {0};

	ck_number(&m, 1, type);
	ck_number(&m, 2, id);
	ck_message(&m, field, inner);
	ck_entry(f, &m);
}

static inline void ck_reg(struct ckbuf *f, int64_t id, int64_t inner_id,
			  const char *path, int64_t mount, int64_t mode,
			  int64_t flags, int64_t ext, int64_t fown)
{
	struct ckbuf m = {0};

	ck_number(&m, 1, inner_id);
	ck_number(&m, 2, flags);
	ck_number(&m, 3, 0);
	ck_fown(&m, 5, fown);
	ck_text(&m, 6, path);
	ck_number(&m, 7, mount == CK_NONE ? CK_NONE : 2 * mount);
	ck_number(&m, 8, 4711);
	ck_number(&m, 9, ext);
	ck_number(&m, 10, mode);
	for (int64_t i = 0; id == 2 && i < 5; i++)
		ck_number(&m, 11, 0x04030201 + i);
	ck_open(f, 1, id, 3, &m);
}

static inline void ck_skopts(struct ckbuf *b, unsigned int field, int64_t mark)
{
	struct ckbuf m = {0};

	ck_numbers(&m, 1, 6, 0);
	ck_number(&m, 10, mark);
	ck_message(b, field, &m);
}

static inline void ck_sockets(struct ckbuf *f, const struct ckimage *k)
{
	struct ckbuf m = {0}, perms = {0};

	ck_numbers(&m, 1, 2, 5);
	ck_number(&m, 3, k->family);
	ck_number(&m, 4, k->type);
	ck_number(&m, 5, k->proto);
	ck_number(&m, 6, k->tcp_state);
	ck_numbers(&m, 7, 10, 0);
	for (int i = 0; i < (k->family == 10 ? 4 : 1); i++)
		ck_number(&m, 11, i == 0 ? k->address : 0);
	ck_fown(&m, 13, 0);
	ck_skopts(&m, 14, k->mark);
	ck_open(f, 4, 5, 4, &m);

	m.n = 0;
	ck_numbers(&m, 1, 5, 6);
	ck_number(&m, 6, k->uflags);
	ck_numbers(&m, 7, 8, 0);
	ck_fown(&m, 9, 0);
	ck_skopts(&m, 10, CK_NONE);
	ck_text(&m, 11, k->unix_name);
	ck_number(&perms, 1, k->perms_mode);
	ck_number(&perms, 2, CK_UID);
	ck_number(&perms, 3, CK_GID);
	ck_message(&m, 13, &perms);
	ck_open(f, 5, 6, 16, &m);
}

static inline void ck_build_files(struct ckbed *bed, const struct ckimage *k)
{
	struct ckbuf m = {0}, *f = ck_file(bed, "files.img");

	ck_reg(f, 1, 1, "/", 101, 040755, 0, CK_NONE, 0);
	ck_reg(f, 2, 2, "/usr/bin/job", 102, 0100755, 0, CK_NONE, 0);
	ck_reg(f, 3, k->reg_id, k->reg_path, k->reg_mount, k->reg_mode,
	       k->reg_flags, k->reg_ext, k->fown);
	ck_reg(f, 4, 4, "/dev/null", 105, 020666, 2, CK_NONE, 0);
	ck_reg(f, 7, 7, "/work/gone", 104, 0100644, 2, CK_NONE, 0);
	ck_reg(f, 8, 8, k->linked, CK_NONE, CK_NONE, 0, CK_NONE, 0);
	ck_reg(f, 9, 9, "/tmp/ghost", 103, 0100644, 2, CK_NONE, 0);
	ck_sockets(f, k);
	if (k->odd_type != CK_NONE)
		ck_open(f, k->odd_type, 20, 3, &m);

	f = ck_file(bed, "fdinfo-2.img");
	ck_number(&m, 1, k->fd_id);
	ck_number(&m, 2, 0);
	ck_number(&m, 3, 1);
	ck_number(&m, 4, 1);
	ck_entry(f, &m);
}

static inline void ck_build_memory(struct ckbed *bed, const struct ckimage *k,
				   int pid)
{
	struct ckbuf m = {0}, vma = {0}, *f;
	char name[32];

	snprintf(name, sizeof(name), "fs-%d.img", pid);
	f = ck_file(bed, name);
	ck_number(&m, 1, 1);
	ck_number(&m, 2, k->root_id);
	ck_entry(f, &m);

	snprintf(name, sizeof(name), "mm-%d.img", pid);
	f = ck_file(bed, name);
	m.n = 0;
	ck_numbers(&m, 1, 11, 4096);
	ck_number(&m, 12, k->exe);
	ck_number(&vma, 1, 4096);
	ck_number(&vma, 2, 8192);
	ck_number(&vma, 3, 0);
	ck_number(&vma, 4, k->vma_file);
	ck_numbers(&vma, 5, 6, 1);
	ck_number(&vma, 7, k->status);
	ck_number(&vma, 8, 1);
	ck_message(&m, 14, &vma);
	ck_number(&m, 15, k->dumpable);
	ck_entry(f, &m);

	snprintf(name, sizeof(name), "pagemap-%d.img", pid);
	f = ck_file(bed, name);
	m.n = 0;
	ck_number(&m, 1, pid);
	ck_entry(f, &m);
	m.n = 0;
	ck_numbers(&m, 1, 2, 1);
	ck_number(&m, 3, k->parent_pages);
	ck_number(&m, 4, 4);
	ck_entry(f, &m);

	snprintf(name, sizeof(name), "pages-%d.img", pid);
	f = ck_file(bed, name);
	f->n = 4096;
}

static inline void ck_build_rest(struct ckbed *bed, const struct ckimage *k)
{
	struct ckbuf m = {0}, desc = {0}, *f = ck_file(bed, "ghost-file-a.img");

	ck_number(&m, 1, k->ghost_uid);
	ck_number(&m, 2, CK_GID);
	ck_number(&m, 3, k->ghost_mode);
	ck_entry(f, &m);
	ck_byte(f, 'x');

	f = ck_file(bed, "remap-fpath.img");
	m.n = 0;
	ck_number(&m, 1, 7);
	ck_number(&m, 2, k->remap_type == 1 ? 10 : 8);
	ck_number(&m, 3, k->remap_type);
	ck_entry(f, &m);
	m.n = 0;
	ck_number(&m, 1, 9);
	ck_number(&m, 2, 10);
	ck_number(&m, 3, 1);
	ck_entry(f, &m);

	f = ck_file(bed, "memfd.img");
	m.n = 0;
	ck_text(&m, 1, "mine");
	ck_number(&m, 2, k->memfd_uid);
	ck_number(&m, 3, CK_GID);
	ck_numbers(&m, 4, 7, 1);
	ck_entry(f, &m);

	f = ck_file(bed, "tty-info.img");
	m.n = 0;
	ck_number(&m, 1, 1);
	ck_number(&m, 2, k->tty);
	ck_numbers(&m, 3, 5, 0);
	ck_numbers(&m, 6, 8, 1);
	ck_entry(f, &m);

	f = ck_file(bed, "netdev-12.img");
	m.n = 0;
	ck_number(&m, 1, k->netdev);
	ck_numbers(&m, 2, 4, 1);
	ck_text(&m, 5, "lo");
	ck_entry(f, &m);

	f = ck_file(bed, "ipcns-shm-13.img");
	m.n = 0;
	ck_number(&desc, 1, 1);
	ck_number(&desc, 2, k->shm_uid);
	ck_number(&desc, 3, CK_GID);
	ck_number(&desc, 4, CK_UID);
	ck_number(&desc, 5, CK_GID);
	ck_numbers(&desc, 6, 7, 0);
	ck_message(&m, 1, &desc);
	ck_number(&m, 2, 3);
	ck_entry(f, &m);
	for (int i = 0; i < 4; i++)
		ck_byte(f, 'm');
}

static inline void ck_want(struct ckbed *bed)
{
	static const struct vol_ckplace places[] = {
		{"/", "", VOL_CKPLACE_TMPFS, 6},
		{"/usr", "m0", VOL_CKPLACE_EXTERNAL, 7},
		{"/tmp", "", VOL_CKPLACE_TMPFS, 6},
		{"/work", "m1", VOL_CKPLACE_EXTERNAL, 6},
		{"/dev/null", "m2", VOL_CKPLACE_EXTERNAL, 10},
		{"/proc", "", VOL_CKPLACE_PROC, 14 | VOL_CKPLACE_COVER},
		{"/home", "", VOL_CKPLACE_TMPFS, 6}, /* need not be there */
	};
	struct vol_ckwant *w = &bed->want;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (vol_ckplaces_add(&bed->places, &places[i], NULL) != 0)
			abort();
	*w = (struct vol_ckwant){
		.uid = CK_UID,
		.gid = CK_GID,
		.id_base = CK_BASE,
		.places = &bed->places,
		.oom_score_adj = 1000,
		.tmpfs_bytes = 64 << 20,
		.sha256 = plain_sha256,
	};
	for (int i = 0; i < VOL_CKLIMITS; i++)
		w->limit[i] = UINT64_MAX;
	w->limit[4] = 1;
	w->limit[7] = 1024;
	plain_sha256(ck_filter, sizeof(ck_filter), w->filter, NULL);
}

static inline struct ckbed *ck_bed(const struct ckimage *k)
{
	struct ckbed *bed = calloc(1, sizeof(*bed));

	if (!bed)
		abort();
	bed->leave_out = k->leave_out;
	ck_want(bed);
	ck_build_tree(bed, k);
	ck_build_cores(bed, k);
	ck_build_mounts(bed, k);
	ck_build_files(bed, k);
	ck_build_memory(bed, k, 1);
	ck_build_memory(bed, k, 2);
	ck_build_rest(bed, k);
	if (k->extra)
		ck_file(bed, k->extra);
	for (size_t i = 0; i < bed->n; i++)
		bed->input[i] = (struct vol_ckinput){
			bed->name[i], bed->file[i].b, bed->file[i].n};
	return bed;
}

static inline void ck_free(struct ckbed *bed)
{
	vol_ckplaces_clear(&bed->places);
	free(bed);
}

#endif
