/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckverify_mounts.c - the mounts are the sandbox's, and nothing besides
 *
 * CRIU takes a mount for a bind of another one when both are of one device.  So
 * what is not external may not be of a device of what is: it would get parts of
 * that, and with its own flags.
 */
#include "config.h"

#include "ckverify_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "text.h"

/* mnt.proto's enum fstype. */
enum {
	UNSUPPORTED = 0, /* a disk's: external only */
	PROC = 1,
	SYSFS = 2,
	DEVTMPFS = 3,
	TMPFS = 5,
	DEVPTS = 6,
	OVERLAYFS = 17,
};

/* What may be set: nothing that mount(2) takes for another operation, and no
 * propagation from or to others. */
#define FLAGS                                                            \
	(MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_SYNCHRONOUS | \
	 MS_NOATIME | MS_NODIRATIME | MS_RELATIME | MS_STRICTATIME |     \
	 MS_LAZYTIME | MS_PRIVATE)

static bool is_text(const struct vol_ckvalue *v, const char *text)
{
	return v->bytes.len == strlen(text) &&
	       memcmp(v->bytes.at, text, v->bytes.len) == 0;
}

static bool begins_with(const struct vol_ckvalue *v, const char *text)
{
	return v->bytes.len >= strlen(text) &&
	       memcmp(v->bytes.at, text, strlen(text)) == 0;
}

static int check_kind(const struct vol_ckplace *p, int64_t fstype,
		      struct vol_error *err)
{
	bool good = false;

	switch (p->kind) {
	case VOL_CKPLACE_EXTERNAL:
		good = fstype == UNSUPPORTED || fstype == SYSFS ||
		       fstype == DEVTMPFS || fstype == TMPFS ||
		       fstype == DEVPTS || fstype == OVERLAYFS;
		break;
	case VOL_CKPLACE_TMPFS:
		good = fstype == TMPFS;
		break;
	case VOL_CKPLACE_PROC:
		good = fstype == PROC;
		break;
	case VOL_CKPLACE_DEVPTS:
		good = fstype == DEVPTS;
		break;
	}
	return good ? 0
		    : vol_ckrefuse(err,
				   "fstype is %" PRId64
				   ", which can not be there",
				   fstype);
}

#define MOUNT(field) \
	VOL_CKROW(e->rows, MOUNT, field), &e->value[VOL_CKMOUNT_##field]

static int check_flags(const struct vol_ckplace *p, struct vol_ckentry *e,
		       struct vol_error *err)
{
	uint32_t flags = (uint32_t)e->value[VOL_CKMOUNT_flags].number;
	uint32_t sb = (uint32_t)e->value[VOL_CKMOUNT_sb_flags].number;
	uint32_t lack = p->flags & ~VOL_CKPLACE_COVER & ~flags;

	if ((flags | sb) & ~(uint32_t)FLAGS)
		return vol_ckrefuse(err, "flags are 0x%" PRIx32, flags | sb);
	if (sb & MS_RDONLY)
		lack &= ~(uint32_t)MS_RDONLY;
	if (lack)
		return vol_ckrefuse(err,
				    "flags are 0x%" PRIx32
				    ", without 0x%" PRIx32,
				    flags, lack);
	if (vol_ckequal_or_none(MOUNT(shared_id), 0, err) < 0)
		return -1;
	return vol_ckequal_or_none(MOUNT(master_id), 0, err);
}

/* "size=1024k" of at most so much? */
static bool size_within(const char *option, size_t len, uint64_t most)
{
	uint64_t kib;

	return len > 6 && option[len - 1] == 'k' &&
	       vol_text_number(option + 5, len - 6, 1, UINT64_MAX >> 10,
			       &kib) == 0 &&
	       kib << 10 <= most;
}

static bool is_option(const char *option, size_t len, const char *const *names)
{
	size_t name = 0;

	while (name < len && option[name] != '=')
		name++;
	for (; *names; names++)
		if (strlen(*names) == name && memcmp(*names, option, name) == 0)
			return true;
	return false;
}

/* As the kernel writes them into mountinfo. */
static int check_options(const struct vol_ckset *set,
			 const struct vol_ckplace *p, struct vol_ckbytes text,
			 struct vol_error *err)
{
	static const char *const tmpfs[] = {"size",    "nr_inodes", "mode",
					    "uid",     "gid",       "inode64",
					    "inode32", NULL};
	static const char *const devpts[] = {
		"gid", "mode", "ptmxmode", "uid", "max", "newinstance", NULL};
	static const char *const proc[] = {"hidepid", "subset", "gid", NULL};
	const char *at = (const char *)text.at;
	bool sized = false;

	for (size_t from = 0, i = 0; i <= text.len; i++) {
		char excerpt[VOL_EXCERPT_SIZE];
		const char *option = at + from;
		size_t len = i - from;

		if (i < text.len && at[i] != ',')
			continue;
		from = i + 1;
		if (len == 0)
			continue;
		if (!is_option(option, len,
			       p->kind == VOL_CKPLACE_TMPFS    ? tmpfs
			       : p->kind == VOL_CKPLACE_DEVPTS ? devpts
							       : proc) ||
		    (len > 5 && memcmp(option, "size=", 5) == 0 &&
		     !size_within(option, len, set->want->tmpfs_bytes)))
			return vol_ckrefuse(err, "options have %s",
					    vol_text_excerpt(option, len,
							     excerpt));
		sized |= len > 5 && memcmp(option, "size=", 5) == 0;
	}
	if (p->kind == VOL_CKPLACE_TMPFS && !sized)
		return vol_ckrefuse(err, "options have no size");
	return 0;
}

static int check_own(const struct vol_ckset *set, const struct vol_ckplace *p,
		     struct vol_ckentry *e, struct vol_error *err)
{
	/* A device of the machine's that CRIU is to find. */
	if (begins_with(&e->value[VOL_CKMOUNT_source], "dev["))
		return vol_ckrefuse(err, "source is a device");
	if (vol_cknone(MOUNT(ext_key), err) < 0)
		return -1;
	return check_options(set, p, e->value[VOL_CKMOUNT_options].bytes, err);
}

static int check_place(const struct vol_ckset *set, const struct vol_ckplace *p,
		       struct vol_ckentry *e, struct vol_error *err)
{
	const struct vol_ckvalue *root = &e->value[VOL_CKMOUNT_root];
	const struct vol_ckvalue *key = &e->value[VOL_CKMOUNT_ext_key];

	if (check_kind(p, e->value[VOL_CKMOUNT_fstype].number, err) < 0 ||
	    vol_ckequal_or_none(MOUNT(with_plugin), 0, err) < 0 ||
	    vol_ckequal_or_none(MOUNT(ext_mount), 0, err) < 0 ||
	    vol_cknone(MOUNT(fsname), err) < 0 ||
	    vol_ckequal_or_none(MOUNT(internal_sharing), 0, err) < 0 ||
	    vol_ckequal_or_none(MOUNT(deleted), 0, err) < 0)
		return -1;
	if (!vol_ckpath_valid_n((const char *)root->bytes.at, root->bytes.len))
		return vol_ckrefuse(err, "root is no normal path");
	if (check_flags(p, e, err) < 0)
		return -1;
	if (p->kind != VOL_CKPLACE_EXTERNAL)
		return check_own(set, p, e, err);
	if (!is_text(key, p->key))
		return vol_ckrefuse(err, "ext_key is not %s", p->key);
	return 0;
}

int vol_ckcheck_mount(struct vol_ckset *set, struct vol_ckentry *e,
		      struct vol_error *err)
{
	const struct vol_ckbytes *at = &e->value[VOL_CKMOUNT_mountpoint].bytes;
	const struct vol_ckplace *place = vol_ckplaces_at(
		set->want->places, (const char *)at->at, at->len);
	char excerpt[VOL_EXCERPT_SIZE];
	struct vol_ckmount *grown;

	vol_text_excerpt(at->at, at->len, excerpt);
	if (!place)
		return vol_ckrefuse(err, "%s is no place of the sandbox",
				    excerpt);
	if (e->member->name.id !=
	    (uint64_t)set->inside[VOL_CKIDS_mnt_ns_id].number)
		return vol_ckrefuse(err, "the job is in another namespace");
	if (set->n_mounts >= set->want->places->n)
		return vol_ckrefuse(err, "more mounts than places");
	if (check_place(set, place, e, err) < 0)
		return vol_error_prefix(err, "%s", excerpt);
	grown = vol_ckgrow(set->mount, set->n_mounts, sizeof(*grown), err);
	if (!grown)
		return -1;
	set->mount = grown;
	grown[set->n_mounts++] = (struct vol_ckmount){
		.id = (uint32_t)e->value[VOL_CKMOUNT_mnt_id].number,
		.parent = (uint32_t)e->value[VOL_CKMOUNT_parent_mnt_id].number,
		.device = (uint32_t)e->value[VOL_CKMOUNT_root_dev].number,
		.place = place,
	};
	return 0;
}

static int order_mounts(const void *a, const void *b)
{
	const struct vol_ckmount *x = a, *y = b;

	return x->id == y->id ? 0 : x->id < y->id ? -1 : 1;
}

const struct vol_ckmount *vol_ckset_mount(const struct vol_ckset *set,
					  uint32_t id)
{
	struct vol_ckmount key = {.id = id};

	return set->n_mounts ? bsearch(&key, set->mount, set->n_mounts,
				       sizeof(key), order_mounts)
			     : NULL;
}

static bool within(const char *path, size_t len, const char *target)
{
	size_t n = strlen(target);

	return n == 1 || (len >= n && memcmp(path, target, n) == 0 &&
			  (len == n || path[n] == '/'));
}

static const struct vol_ckmount *mount_at(const struct vol_ckset *set,
					  const struct vol_ckplace *place)
{
	for (size_t i = 0; i < set->n_mounts; i++)
		if (set->mount[i].place == place)
			return &set->mount[i];
	return NULL;
}

/* The one that m is mounted on, by its name: what lies over it would hide
 * it. */
static const struct vol_ckmount *below(const struct vol_ckset *set,
				       const struct vol_ckmount *m)
{
	const char *target = m->place->target;
	const struct vol_ckmount *best = NULL;

	for (size_t i = 0; i < set->n_mounts; i++) {
		const struct vol_ckmount *b = &set->mount[i];

		if (b != m &&
		    within(target, strlen(target), b->place->target) &&
		    (!best ||
		     strlen(b->place->target) > strlen(best->place->target)))
			best = b;
	}
	return best;
}

static int check_one(const struct vol_ckset *set, const struct vol_ckmount *m,
		     struct vol_error *err)
{
	const struct vol_ckmount *under = below(set, m);
	const char *target = m->place->target;

	if (!under && strcmp(target, "/") != 0)
		return vol_ckrefuse(err, "nothing is mounted at /");
	if (under ? m->parent != under->id
		  : vol_ckset_mount(set, m->parent) != NULL)
		return vol_ckrefuse(err, "%s is not on the mount below it",
				    target);
	for (size_t i = 0; i < set->n_mounts; i++) {
		const struct vol_ckmount *o = &set->mount[i];

		if (m->place->kind != VOL_CKPLACE_EXTERNAL &&
		    o->place->kind == VOL_CKPLACE_EXTERNAL &&
		    m->device == o->device)
			return vol_ckrefuse(err, "%s is of the device of %s",
					    target, o->place->target);
	}
	return 0;
}

int vol_ckcheck_mounts(struct vol_ckset *set, struct vol_error *err)
{
	const struct vol_ckplaces *places = set->want->places;

	qsort(set->mount, set->n_mounts, sizeof(*set->mount), order_mounts);
	for (size_t i = 1; i < set->n_mounts; i++)
		if (set->mount[i].id == set->mount[i - 1].id)
			return vol_ckrefuse(err,
					    "mount %" PRIu32 " is there twice",
					    set->mount[i].id);
	for (size_t i = 0; i < set->n_mounts; i++)
		if (mount_at(set, set->mount[i].place) != &set->mount[i])
			return vol_ckrefuse(err, "%s is mounted twice",
					    set->mount[i].place->target);
	for (size_t i = 0; i < set->n_mounts; i++)
		if (check_one(set, &set->mount[i], err) < 0)
			return -1;
	for (size_t i = 0; i < places->n; i++)
		if (places->place[i].flags & VOL_CKPLACE_COVER &&
		    !mount_at(set, &places->place[i]))
			return vol_ckrefuse(err, "%s is not covered",
					    places->place[i].target);
	return 0;
}

/* The place that the path leads to: CRIU opens it by its name, whatever mount
 * the image says it is on. */
static const struct vol_ckplace *place_of(const struct vol_ckset *set,
					  const char *path, size_t len)
{
	char text[VOL_CKPATH_SIZE];

	memcpy(text, path, len);
	text[len] = '\0';
	return vol_ckplaces_of(set->want->places, text);
}

/* Does the image say so, too? */
static bool is_on(const struct vol_ckset *set, const struct vol_ckvalue *mount,
		  const struct vol_ckplace *place)
{
	const struct vol_ckmount *m = NULL;

	if (!mount->n || mount->number == -1)
		return true;
	if (mount->number > 0)
		m = vol_ckset_mount(set, (uint32_t)mount->number);
	return m && m->place == place;
}

int vol_ckcheck_path(const struct vol_ckset *set, struct vol_ckbytes path,
		     const struct vol_ckvalue *mount,
		     const struct vol_ckplace **place, struct vol_error *err)
{
	const char *at = (const char *)path.at;
	char excerpt[VOL_EXCERPT_SIZE];

	vol_text_excerpt(at, path.len, excerpt);
	if (!vol_ckpath_valid_n(at, path.len))
		return vol_ckrefuse(err, "%s is no normal path", excerpt);
	*place = place_of(set, at, path.len);
	if (!*place)
		return vol_ckrefuse(err, "%s is on no mount", excerpt);
	if (!is_on(set, mount, *place))
		return vol_ckrefuse(err,
				    "%s is on %s, and not on mount %" PRId64,
				    excerpt, (*place)->target, mount->number);
	return 0;
}
