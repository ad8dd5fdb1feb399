/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckverify_files.c - the open files, by their kinds */
#include "config.h"

#include "ckverify_private.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "text.h"

/* The one field with this number, of a message that is well-formed. */
static int take_one(struct vol_ckbytes message, uint32_t number,
		    enum vol_ckwire wire, struct vol_ckfield *field,
		    struct vol_error *err)
{
	struct vol_ckfield f;
	unsigned int n = 0;
	int rc;

	while ((rc = vol_ckproto_next(&message, &f, err)) > 0) {
		if (f.number != number)
			continue;
		*field = f;
		n++;
	}
	if (rc < 0)
		return -1;
	if (n != 1 || field->wire != wire)
		return vol_ckrefuse(err, "%u of field %" PRIu32 ", want 1", n,
				    number);
	return 0;
}

/* Who gets SIGIO: CRIU becomes that user to say so. */
int vol_ckcheck_fown(const struct vol_ckset *set, struct vol_ckbytes fown,
		     struct vol_error *err)
{
	struct vol_ckvalue v[VOL_CKROWS_MAX];

	if (vol_ckproto_decode(fown, vol_ckfown_rows, v, err) < 0)
		return vol_error_prefix(err, "fown");
	if (v[VOL_CKFOWN_pid].number != 0 &&
	    (v[VOL_CKFOWN_uid].number != set->want->uid ||
	     v[VOL_CKFOWN_euid].number != set->want->uid))
		return vol_ckrefuse(err,
				    "fown is user %" PRId64 ", want %" PRIu32,
				    v[VOL_CKFOWN_euid].number, set->want->uid);
	return 0;
}

/* Device nodes of the sandbox, and its terminals. */
static bool device_allowed(const struct vol_ckplace *place, const char *path,
			   size_t len)
{
	static const char *const names[] = {"/dev/null",    "/dev/zero",
					    "/dev/full",    "/dev/random",
					    "/dev/urandom", "/dev/tty",
					    "/dev/ptmx"};

	if (strcmp(place->target, "/dev/pts") == 0)
		return true;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i]) == len && memcmp(names[i], path, len) == 0)
			return true;
	return false;
}

static int check_type(const struct vol_ckopen *o, struct vol_error *err)
{
	char excerpt[VOL_EXCERPT_SIZE];

	vol_text_excerpt(o->path.at, o->path.len, excerpt);
	switch (o->mode & S_IFMT) {
	case S_IFREG:
	case S_IFDIR:
	case S_IFIFO:
	case S_IFSOCK:
	case S_IFLNK:
		return 0;
	case S_IFCHR:
		if (device_allowed(o->place, (const char *)o->path.at,
				   o->path.len))
			return 0;
		return vol_ckrefuse(err, "%s is a device", excerpt);
	default:
		return vol_ckrefuse(err, "%s is of type 0%" PRIo32, excerpt,
				    o->mode & S_IFMT);
	}
}

#define REG(field) VOL_CKROW(vol_ckreg_rows, REG, field), &v[VOL_CKREG_##field]

static int check_reg(struct vol_ckset *set, struct vol_ckbytes message,
		     struct vol_ckopen *o, struct vol_error *err)
{
	struct vol_ckvalue v[VOL_CKROWS_MAX];

	if (vol_ckproto_decode(message, vol_ckreg_rows, v, err) < 0)
		return -1;
	o->path = v[VOL_CKREG_name].bytes;
	o->entry = message;
	o->mode = (uint32_t)v[VOL_CKREG_mode].number;
	o->flags = (uint32_t)v[VOL_CKREG_flags].number;
	o->bytes = (uint64_t)v[VOL_CKREG_size].number;
	if (vol_ckcheck_path(set, o->path, &v[VOL_CKREG_mnt_id], &o->place,
			     err) < 0 ||
	    vol_ckequal_or_none(REG(ext), 0, err) < 0)
		return -1;
	/* An open file does not have these, and CRIU would do it. */
	if (o->flags & (O_CREAT | O_EXCL | O_TRUNC))
		return vol_ckrefuse(err, "flags are 0%" PRIo32, o->flags);
	if (!v[VOL_CKREG_mode].n && vol_ckis_linked(o->path))
		return 0;
	return check_type(o, err);
}

static int check_inet(struct vol_ckset *set, struct vol_ckbytes m,
		      struct vol_ckopen *o, struct vol_error *err)
{
	(void)o;
	return vol_ckcheck_inet(set, m, err);
}

static int check_unix(struct vol_ckset *set, struct vol_ckbytes m,
		      struct vol_ckopen *o, struct vol_error *err)
{
	(void)o;
	return vol_ckcheck_unix(set, m, err);
}

static int check_netlink(struct vol_ckset *set, struct vol_ckbytes m,
			 struct vol_ckopen *o, struct vol_error *err)
{
	(void)o;
	return vol_ckcheck_netlink(set, m, err);
}

static int check_ttyfile(struct vol_ckset *set, struct vol_ckbytes m,
			 struct vol_ckopen *o, struct vol_error *err)
{
	struct vol_ckvalue v[VOL_CKROWS_MAX];

	(void)set;
	(void)o;
	return vol_ckproto_decode(m, vol_ckttyfile_rows, v, err);
}

/* Which field of a file_entry a kind has, and where in that fown is. */
static const struct {
	enum vol_ckfd type;
	int field;
	uint32_t fown; /* 0: none */
	int (*check)(struct vol_ckset *set, struct vol_ckbytes message,
		     struct vol_ckopen *o, struct vol_error *err);
} kinds[] = {
	{VOL_CKFD_REG, VOL_CKFILE_reg, 5, check_reg},
	{VOL_CKFD_PIPE, VOL_CKFILE_pipe, 4, NULL},
	{VOL_CKFD_FIFO, VOL_CKFILE_fifo, 0, NULL},
	{VOL_CKFD_INET, VOL_CKFILE_isk, 13, check_inet},
	{VOL_CKFD_UNIX, VOL_CKFILE_usk, 9, check_unix},
	{VOL_CKFD_EVENTFD, VOL_CKFILE_efd, 3, NULL},
	{VOL_CKFD_EPOLL, VOL_CKFILE_epfd, 3, NULL},
	{VOL_CKFD_INOTIFY, VOL_CKFILE_ify, 4, NULL},
	{VOL_CKFD_SIGNALFD, VOL_CKFILE_sgfd, 3, NULL},
	{VOL_CKFD_TTY, VOL_CKFILE_tty, 4, check_ttyfile},
	{VOL_CKFD_NETLINK, VOL_CKFILE_nlsk, 11, check_netlink},
	{VOL_CKFD_TIMERFD, VOL_CKFILE_tfd, 3, NULL},
	{VOL_CKFD_MEMFD, VOL_CKFILE_memfd, 4, NULL},
	{VOL_CKFD_PIDFD, VOL_CKFILE_pidfd, 5, NULL},
};
#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

static int check_message(struct vol_ckset *set, size_t kind,
			 struct vol_ckbytes m, struct vol_ckopen *o,
			 struct vol_error *err)
{
	struct vol_ckfield f;

	if (take_one(m, 1, VOL_CKWIRE_VARINT, &f, err) < 0)
		return -1;
	if (f.value != o->id)
		return vol_ckrefuse(err, "id is %" PRIu64 ", want %" PRIu32,
				    f.value, o->id);
	if (kinds[kind].fown &&
	    (take_one(m, kinds[kind].fown, VOL_CKWIRE_BYTES, &f, err) < 0 ||
	     vol_ckcheck_fown(set, f.bytes, err) < 0))
		return -1;
	return kinds[kind].check ? kinds[kind].check(set, m, o, err) : 0;
}

static int check_kind(struct vol_ckset *set, size_t kind, struct vol_ckentry *e,
		      struct vol_ckopen *o, struct vol_error *err)
{
	for (int i = VOL_CKFILE_id + 1; i < VOL_CKFILE_FIELDS; i++)
		if ((e->value[i].n > 0) != (i == kinds[kind].field))
			return vol_ckrefuse(
				err, "of type %" PRIu32 "%s %s", o->type,
				e->value[i].n ? ", with a" : ", without a",
				e->rows[i].name);
	if (check_message(set, kind, e->value[kinds[kind].field].bytes, o,
			  err) < 0)
		return vol_error_prefix(err, "%s",
					e->rows[kinds[kind].field].name);
	return 0;
}

static int note_opened(struct vol_ckset *set, const struct vol_ckopen *o,
		       struct vol_error *err)
{
	struct vol_ckseen *seen = set->seen;
	struct vol_ckopened *grown;

	if (!seen || o->type != VOL_CKFD_REG || S_ISCHR(o->mode) ||
	    o->place->kind != VOL_CKPLACE_EXTERNAL ||
	    o->place->flags & 1 /* MS_RDONLY */)
		return 0;
	grown = vol_ckgrow(seen->opened, seen->n_opened, sizeof(*grown), err);
	if (!grown)
		return -1;
	seen->opened = grown;
	grown += seen->n_opened++;
	memset(grown, 0, sizeof(*grown));
	memcpy(grown->path, o->path.at, o->path.len);
	grown->flags = o->flags;
	grown->mode = o->mode & S_IFMT;
	return 0;
}

int vol_ckcheck_file(struct vol_ckset *set, struct vol_ckentry *e,
		     struct vol_error *err)
{
	struct vol_ckopen o = {
		.id = (uint32_t)e->value[VOL_CKFILE_id].number,
		.type = (uint32_t)e->value[VOL_CKFILE_type].number,
	};
	struct vol_ckopen *grown;
	size_t kind = 0;

	while (kind < N_KINDS && (uint32_t)kinds[kind].type != o.type)
		kind++;
	if (kind == N_KINDS)
		return vol_ckrefuse(err,
				    "file %" PRIu32 " is of type %" PRIu32
				    ", which can not be moved",
				    o.id, o.type);
	if (check_kind(set, kind, e, &o, err) < 0 ||
	    note_opened(set, &o, err) < 0)
		return -1;
	grown = vol_ckgrow(set->open, set->n_opens, sizeof(*grown), err);
	if (!grown)
		return -1;
	set->open = grown;
	grown[set->n_opens++] = o;
	return 0;
}

static int order_opens(const void *a, const void *b)
{
	const struct vol_ckopen *x = a, *y = b;

	if (x->type != y->type)
		return x->type < y->type ? -1 : 1;
	return x->id == y->id ? 0 : x->id < y->id ? -1 : 1;
}

const struct vol_ckopen *vol_ckset_open(const struct vol_ckset *set,
					uint32_t type, uint32_t id)
{
	struct vol_ckopen key = {.type = type, .id = id};

	return set->n_opens ? bsearch(&key, set->open, set->n_opens,
				      sizeof(key), order_opens)
			    : NULL;
}

int vol_ckcheck_files(struct vol_ckset *set, struct vol_error *err)
{
	qsort(set->open, set->n_opens, sizeof(*set->open), order_opens);
	for (size_t i = 1; i < set->n_opens; i++)
		if (order_opens(&set->open[i], &set->open[i - 1]) == 0)
			return vol_ckrefuse(err,
					    "file %" PRIu32 " is there twice",
					    set->open[i].id);
	return 0;
}
