/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckverify_data.c - descriptors, folders, deleted files, what waits in pipes */
#include "config.h"

#include "ckverify_private.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "text.h"

int vol_ckcheck_fdinfo(struct vol_ckset *set, struct vol_ckentry *e,
		       struct vol_error *err)
{
	uint32_t type = (uint32_t)e->value[VOL_CKFDINFO_type].number;
	uint32_t id = (uint32_t)e->value[VOL_CKFDINFO_id].number;

	if (!vol_ckset_open(set, type, id))
		return vol_ckrefuse(err,
				    "descriptor %" PRId64 " is file %" PRIu32
				    " of type %" PRIu32 ", which is not there",
				    e->value[VOL_CKFDINFO_fd].number, id, type);
	return 0;
}

static int check_folder(const struct vol_ckset *set, struct vol_ckentry *e,
			int field, bool root, struct vol_error *err)
{
	const struct vol_ckopen *o = vol_ckset_open(
		set, VOL_CKFD_REG, (uint32_t)e->value[field].number);

	if (!o || !S_ISDIR(o->mode))
		return vol_ckrefuse(err, "%s is no folder that is open",
				    e->rows[field].name);
	if (root && (o->path.len != 1 || o->path.at[0] != '/'))
		return vol_ckrefuse(err, "%s is not /", e->rows[field].name);
	return 0;
}

int vol_ckcheck_fs(struct vol_ckset *set, struct vol_ckentry *e,
		   struct vol_error *err)
{
	if (check_folder(set, e, VOL_CKFS_cwd_id, false, err) < 0)
		return -1;
	return check_folder(set, e, VOL_CKFS_root_id, true, err);
}

static bool mode_harmless(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
	case S_IFDIR:
	case S_IFIFO:
	case S_IFLNK:
		return !(mode & (S_ISUID | S_ISGID)) && mode <= UINT16_MAX;
	default:
		return false;
	}
}

/* A file without a name, which is made before it is opened. */
int vol_ckcheck_ghost(struct vol_ckset *set, struct vol_ckentry *e,
		      struct vol_error *err)
{
	const struct vol_ckrow *rows = e->rows;
	const struct vol_ckvalue *v = e->value;

	if (vol_ckequal(VOL_CKROW(rows, GHOST, uid), &v[VOL_CKGHOST_uid],
			set->want->uid, err) < 0 ||
	    vol_ckequal(VOL_CKROW(rows, GHOST, gid), &v[VOL_CKGHOST_gid],
			set->want->gid, err) < 0)
		return -1;
	if (!mode_harmless((uint32_t)v[VOL_CKGHOST_mode].number))
		return vol_ckrefuse(err, "mode is 0%" PRIo64,
				    (uint64_t)v[VOL_CKGHOST_mode].number);
	/* Contents follow. */
	e->entries->rest.len = 0;
	return 0;
}

/* Length of the folder's name, with its slash. */
static size_t folder_length(struct vol_ckbytes path)
{
	size_t len = path.len;

	while (len > 0 && path.at[len - 1] != '/')
		len--;
	return len;
}

bool vol_ckis_linked(struct vol_ckbytes path)
{
	static const char name[] = "link_remap.";
	size_t len = folder_length(path) + strlen(name);
	const char *at = (const char *)path.at;
	uint64_t number;

	return path.len > len &&
	       memcmp(at + len - strlen(name), name, strlen(name)) == 0 &&
	       vol_text_number(at + len, path.len - len, 0, UINT32_MAX,
			       &number) == 0;
}

/* CRIU gives the other name's file the first one's name, and removes the other
 * name: so that may be no other than what CRIU made for it. */
static int check_linked(const struct vol_ckopen *orig,
			const struct vol_ckopen *other, struct vol_error *err)
{
	size_t folder = folder_length(orig->path);

	if (other->place != orig->place || !vol_ckis_linked(other->path) ||
	    folder_length(other->path) != folder ||
	    memcmp(other->path.at, orig->path.at, folder) != 0)
		return vol_ckrefuse(err, "it is of another file's name");
	return 0;
}

int vol_ckcheck_remap(struct vol_ckset *set, struct vol_ckentry *e,
		      struct vol_error *err)
{
	enum { LINKED = 0, GHOST = 1, PROCFS = 2 };
	uint32_t orig_id = (uint32_t)e->value[VOL_CKREMAP_orig_id].number;
	uint32_t id = (uint32_t)e->value[VOL_CKREMAP_remap_id].number;
	const struct vol_ckopen *orig =
		vol_ckset_open(set, VOL_CKFD_REG, orig_id);
	const struct vol_ckopen *other = vol_ckset_open(set, VOL_CKFD_REG, id);

	if (!orig)
		return vol_ckrefuse(err, "there is no file %" PRIu32, orig_id);
	if (!e->value[VOL_CKREMAP_remap_type].n)
		return vol_ckrefuse(err, "remap_type is missing");
	switch (e->value[VOL_CKREMAP_remap_type].number) {
	case LINKED:
		if (!other)
			return vol_ckrefuse(err, "there is no file %" PRIu32,
					    id);
		return check_linked(orig, other, err);
	case GHOST:
		if (!vol_ckset_find(set, VOL_CKKIND_GHOST, id))
			return vol_ckrefuse(err, "there is no ghost %" PRIx32,
					    id);
		return 0;
	case PROCFS:
		if (orig->place->kind != VOL_CKPLACE_PROC)
			return vol_ckrefuse(err, "it is not in /proc");
		return 0;
	default:
		return vol_ckrefuse(err, "remap_type is %" PRId64,
				    e->value[VOL_CKREMAP_remap_type].number);
	}
}

int vol_ckcheck_memfd(struct vol_ckset *set, struct vol_ckentry *e,
		      struct vol_error *err)
{
	const struct vol_ckrow *rows = e->rows;
	const struct vol_ckvalue *v = e->value;

	if (vol_ckequal(VOL_CKROW(rows, MEMFD, uid), &v[VOL_CKMEMFD_uid],
			set->want->uid, err) < 0 ||
	    vol_ckequal(VOL_CKROW(rows, MEMFD, gid), &v[VOL_CKMEMFD_gid],
			set->want->gid, err) < 0)
		return -1;
	if (v[VOL_CKMEMFD_mode].number & (S_ISUID | S_ISGID))
		return vol_ckrefuse(err, "mode is 0%" PRIo64,
				    (uint64_t)v[VOL_CKMEMFD_mode].number);
	return 0;
}

int vol_ckcheck_tty(struct vol_ckset *set, struct vol_ckentry *e,
		    struct vol_error *err)
{
	enum { PTY = 1, CTTY = 4 };
	int64_t type = e->value[VOL_CKTTYINFO_type].number;

	(void)set;
	if (type != PTY && type != CTTY)
		return vol_ckrefuse(err, "a terminal of type %" PRId64, type);
	return 0;
}

int vol_ckcheck_pipe_data(struct vol_ckset *set, struct vol_ckentry *e,
			  struct vol_error *err)
{
	(void)set;
	return vol_ckentries_skip(
		e->entries, (uint64_t)e->value[VOL_CKPIPEDATA_bytes].number,
		err);
}

int vol_ckcheck_packet(struct vol_ckset *set, struct vol_ckentry *e,
		       struct vol_error *err)
{
	struct vol_ckbytes rest = e->message;
	struct vol_ckfield f;

	(void)set;
	/* Descriptors on their way (SCM_RIGHTS, 1) and nothing else. */
	while (vol_ckproto_find(&rest, e->rows[VOL_CKPACKET_scm].number, &f)) {
		struct vol_ckbytes scm = f.bytes;
		struct vol_ckfield type;

		if (!vol_ckproto_find(&scm, 1, &type) || type.value != 1)
			return vol_ckrefuse(err, "scm is not of descriptors");
	}
	return vol_ckentries_skip(
		e->entries, (uint64_t)e->value[VOL_CKPACKET_length].number,
		err);
}

/* tcp_stream_entry: bytes of both queues follow. */
int vol_ckcheck_stream(struct vol_ckset *set, struct vol_ckentry *e,
		       struct vol_error *err)
{
	struct vol_ckbytes in = e->message, out = e->message;
	struct vol_ckfield f, g;

	(void)set;
	if (!vol_ckproto_find(&in, 1, &f) || !vol_ckproto_find(&out, 3, &g) ||
	    f.value > UINT32_MAX || g.value > UINT32_MAX)
		return vol_ckrefuse(err, "its queues have no length");
	return vol_ckentries_skip(e->entries, f.value + g.value, err);
}
