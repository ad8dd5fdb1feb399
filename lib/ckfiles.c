/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckfiles.c - the files that a job has for itself, in an image; pure */
#include "config.h"

#include "ckfiles.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "text.h"

const char *const vol_ckfiles_folders[] = {"/tmp", "/var/tmp", "/home", NULL};

#define HOMES "/home/"

/* The name of what is below folder; NULL: it is not. */
static const char *below(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	return strncmp(path, folder, len) == 0 && path[len] == '/'
		       ? path + len + 1
		       : NULL;
}

bool vol_ckfiles_travels(const char *path)
{
	if (!vol_ckpath_valid(path))
		return false;
	for (const char *const *f = vol_ckfiles_folders; *f; f++) {
		const char *name = below(path, *f);

		if (name && (strcmp(*f, "/home") != 0 || strchr(name, '/')))
			return true;
	}
	return false;
}

/* A home, or another folder that every sandbox has. */
static bool is_there(const char *path, size_t len)
{
	for (const char *const *f = vol_ckfiles_folders; *f; f++)
		if (strlen(*f) == len && memcmp(*f, path, len) == 0)
			return true;
	return len > strlen(HOMES) && memcmp(path, HOMES, strlen(HOMES)) == 0 &&
	       !memchr(path + strlen(HOMES), '/', len - strlen(HOMES));
}

struct key {
	const char *path;
	size_t len;
};

static int order(const void *a, const void *b)
{
	const struct vol_rollback_entry *const *x = a, *const *y = b;

	return strcmp((*x)->path, (*y)->path);
}

static int order_key(const void *key, const void *item)
{
	const struct vol_rollback_entry *const *y = item;
	const struct key *k = key;
	int rc = strncmp(k->path, (*y)->path, k->len);

	return rc ? rc : (*y)->path[k->len] ? -1 : 0;
}

static int refuse(const struct vol_rollback_entry *e, struct vol_error *err,
		  const char *why)
{
	char excerpt[VOL_EXCERPT_SIZE];

	return vol_errorf_errno(
		err, EPERM, "%s: %s",
		vol_text_excerpt(e->path, strnlen(e->path, sizeof(e->path)),
				 excerpt),
		why);
}

static const char *problem(const struct vol_rollback_entry *e)
{
	const char *name;

	if (!memchr(e->path, '\0', sizeof(e->path)) ||
	    !vol_ckfiles_travels(e->path))
		return "is in no folder of the job's own";
	name = strrchr(e->path, '/') + 1;
	if (strlen(name) > NAME_MAX)
		return "too long a name";
	if (e->how != VOL_ROLLBACK_FOLDER && e->how != VOL_ROLLBACK_COPY &&
	    e->how != VOL_ROLLBACK_TARGET)
		return "is no file, folder or link that an image has";
	if (e->opened != VOL_ROLLBACK_CLOSED)
		return "is open, in an image without processes";
	if (e->mode & ~(uint32_t)VOL_CKFILES_MODES)
		return "has permissions that no job's file may have";
	if (e->how == VOL_ROLLBACK_FOLDER && e->length)
		return "is a folder with a length";
	if (e->how == VOL_ROLLBACK_TARGET &&
	    (e->length == 0 || e->length >= PATH_MAX))
		return "is a link that leads nowhere";
	if (e->length > INT64_MAX || e->mtime_ns > INT64_MAX)
		return "has a length or a time that no file has";
	return NULL;
}

/* Its folder comes before it in the list, or is in every sandbox. */
static bool has_folder(const struct vol_rollback_entry *e,
		       const struct vol_rollback_entry *const *sorted, size_t n)
{
	const struct key key = {e->path,
				(size_t)(strrchr(e->path, '/') - e->path)};
	const struct vol_rollback_entry *const *found;

	if (is_there(key.path, key.len))
		return true;
	found = bsearch(&key, sorted, n, sizeof(*sorted), order_key);
	return found && (*found)->how == VOL_ROLLBACK_FOLDER && *found < e;
}

static int check_room(const struct vol_rollback_entry *entry, size_t n,
		      uint64_t room, struct vol_error *err)
{
	const uint64_t page = VOL_CKFILES_PAGE;
	uint64_t left = room;

	for (size_t i = 0; i < n; i++) {
		uint64_t need = (entry[i].length + page - 1) / page * page;

		if (need > left)
			return vol_errorf_errno(err, ENOTSUP,
						"the job's own files need more "
						"than the %" PRIu64
						" bytes that there are",
						room);
		left -= need;
	}
	return 0;
}

int vol_ckfiles_check(const struct vol_rollback_entry *entry, size_t n,
		      uint64_t room, struct vol_error *err)
{
	cleanup_free const struct vol_rollback_entry **sorted =
		calloc(n + 1, sizeof(*sorted));
	const char *why;

	if (!sorted)
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < n; i++) {
		why = problem(&entry[i]);
		if (why)
			return refuse(&entry[i], err, why);
		sorted[i] = &entry[i];
	}
	qsort(sorted, n, sizeof(*sorted), order);
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && strcmp(sorted[i - 1]->path, sorted[i]->path) == 0)
			return refuse(sorted[i], err, "is there twice");
		if (!has_folder(&entry[i], sorted, n))
			return refuse(&entry[i], err,
				      "is in no folder of the list before it");
	}
	return check_room(entry, n, room, err);
}
