/* SPDX-License-Identifier: GPL-2.0-or-later */
/* files.c - a job's files, made what they were when it was saved
 *
 * All are judged before one is changed (lib/rollback.h).  All of it is done
 * with the job's rights, through the mounts that it is going to have: an image
 * comes from a machine that nobody controls, and names any path it likes.
 */
#include "config.h"

#include "parts.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "text.h"

/* Names to put one file aside under, in a folder that has been rolled back
 * before. */
#define ASIDE_MAX 1000

/* --- judging ---------------------------------------------------------------
 */

static int order(const void *a, const void *b)
{
	const struct vol_rollback_entry *const *x = a, *const *y = b;

	return strcmp((*x)->path, (*y)->path);
}

static int order_key(const void *key, const void *item)
{
	const struct vol_rollback_entry *const *y = item;

	return strcmp(key, (*y)->path);
}

static bool is_known(const struct vol_files *f, const char *path)
{
	const struct vol_record *r = f->record;

	return vol_record_has_output(r, path) ||
	       (r->entries && bsearch(path, f->sorted, r->entries,
				      sizeof(*f->sorted), order_key));
}

static int look(const struct vol_files *f, const struct vol_rollback_entry *e,
		struct vol_rollback_now *now, struct vol_error *err)
{
	cleanup_fd int fd = vol_open_in(f->root, e->path, O_PATH | O_NOFOLLOW);
	cleanup_fd int data = -1;
	char target[PATH_MAX];

	*now = (struct vol_rollback_now){.kind = VOL_ROLLBACK_IS_GONE};
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || vol_now_at(fd, "", now, NULL) != 0)
		return vol_errorf(err, "%s: %s", e->path, strerror(errno));
	if (!vol_rollback_reads(e, now, f->record->moment_ns))
		return 0;
	if (now->kind == VOL_ROLLBACK_IS_LINK)
		return vol_target_at(fd, "", target, &now->sum) == 0
			       ? 0
			       : vol_errorf(err, "%s: %s", e->path,
					    strerror(errno));
	data = vol_open_in(f->root, e->path, O_RDONLY | O_NONBLOCK);
	if (data < 0 || vol_sum_fd(data, e->length, -1, &now->sum) != 0)
		return vol_errorf(err, "%s: %s", e->path, strerror(errno));
	return 0;
}

/* It stays the same file: a data base that is open does not trust another one
 * by its name. */
static bool is_in_place(const struct vol_rollback_entry *e, int act)
{
	return act == VOL_ROLLBACK_CUT ||
	       (act == VOL_ROLLBACK_PUT && e->how == VOL_ROLLBACK_COPY &&
		e->opened != VOL_ROLLBACK_CLOSED);
}

/* What can not be written must be known before another one is. */
static int may_write(const struct vol_files *f, const char *path,
		     struct vol_error *err)
{
	cleanup_fd int fd = vol_open_in(f->root, path, O_WRONLY | O_NONBLOCK);

	return fd < 0 ? vol_errorf(err, "%s: %s", path, strerror(errno)) : 0;
}

static int judge(struct vol_files *f, size_t i, struct vol_error *err)
{
	const struct vol_record *r = f->record;
	const struct vol_rollback_entry *e = &r->entry[i];
	struct vol_rollback_now now;
	int act;

	if (look(f, e, &now, err) != 0)
		return -1;
	act = vol_rollback_judge(e, &now, r->files, r->moment_ns, err);
	if (act < 0)
		return -1;
	if (now.kind == VOL_ROLLBACK_IS_FILE && is_in_place(e, act) &&
	    may_write(f, e->path, err) != 0)
		return -1;
	f->act[i] = (unsigned char)act;
	return 0;
}

static int find_added(const char *path, const struct vol_rollback_now *now,
		      void *arg, struct vol_error *err)
{
	struct vol_files *f = arg;

	(void)now;
	if (is_known(f, path))
		return 0;
	if (f->record->files != VOL_ROLLBACK_OWN)
		return vol_errorf_errno(err, ESTALE,
					"%s: is new since the job was saved, "
					"and who made it is not known "
					"(--volunteer-files)",
					path);
	if (f->n_added == VOL_ROLLBACK_MAX)
		return vol_errorf_errno(err, ESTALE,
					"%s: more than %d files are new since "
					"the job was saved",
					f->record->folder, VOL_ROLLBACK_MAX);
	snprintf(f->added[f->n_added++], sizeof(f->added[0]), "%s", path);
	/* With all that is in it. */
	return 1;
}

static int judge_all(struct vol_files *f, struct vol_error *err)
{
	const struct vol_record *r = f->record;

	for (size_t i = 0; i < r->entries; i++)
		if (judge(f, i, err) != 0)
			return -1;
	if (r->files == VOL_ROLLBACK_OPENED || !r->folder[0] ||
	    !vol_mount_is_outside(r, r->folder))
		return 0;
	return vol_walk(f->root, r->folder, find_added, f, err);
}

static int as_job(const struct vol_files *f, struct vol_rights *rights,
		  struct vol_error *err)
{
	const struct vol_sandbox *s = f->sandbox;

	return vol_rights_take(rights, vol_ids_outside(s, s->job.uid),
			       vol_ids_outside(s, s->job.gid), err);
}

static int prepare(struct vol_files *f, struct vol_error *err)
{
	const struct vol_record *r = f->record;

	f->root = open(f->sandbox->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (f->root < 0)
		return vol_errorf(err, "%s: %s", f->sandbox->root,
				  strerror(errno));
	f->act = calloc(r->entries + 1, sizeof(*f->act));
	f->sorted = calloc(r->entries + 1, sizeof(*f->sorted));
	/* Most of it is never touched. */
	f->added = calloc(VOL_ROLLBACK_MAX, sizeof(*f->added));
	if (!f->act || !f->sorted || !f->added)
		return vol_errorf(err, "files: %s", strerror(errno));
	for (size_t i = 0; i < r->entries; i++)
		f->sorted[i] = &r->entry[i];
	qsort(f->sorted, r->entries, sizeof(*f->sorted), order);
	return 0;
}

int vol_files_judge(struct vol_files *f, struct vol_error *err)
{
	struct vol_rights rights;
	int rc;

	if (f->record->unlisted[0])
		return vol_errorf_errno(err, ESTALE,
					"it does not say what its files were "
					"(%s)",
					f->record->unlisted);
	if (prepare(f, err) != 0 || as_job(f, &rights, err) != 0)
		return -1;
	rc = judge_all(f, err);
	return vol_rights_back(&rights, err) != 0 ? -1 : rc;
}

void vol_files_free(struct vol_files *f)
{
	int saved = errno;

	if (f->root > 0)
		close(f->root);
	free(f->act);
	free(f->sorted);
	free(f->added);
	errno = saved;
}

/* --- applying --------------------------------------------------------------
 */

/* The folder that it is in; *name in path. */
static int open_folder(const struct vol_files *f, const char *path,
		       const char **name, struct vol_error *err)
{
	const char *slash = strrchr(path, '/');
	char folder[VOL_CKPATH_SIZE];
	int fd;

	snprintf(folder, sizeof(folder), "%.*s",
		 slash == path ? 1 : (int)(slash - path), path);
	*name = slash + 1;
	fd = vol_open_in(f->root, folder, O_PATH | O_DIRECTORY);
	return fd < 0 ? vol_errorf(err, "%s: %s", folder, strerror(errno)) : fd;
}

/* A name that nothing in dir has. */
static int find_name(const struct vol_files *f, int dir, const char *name,
		     char aside[NAME_MAX + 1], struct vol_error *err)
{
	struct stat st;

	for (unsigned int n = 0; n < ASIDE_MAX; n++) {
		vol_rollback_aside(name, f->record->job, n, aside);
		if (fstatat(dir, aside, &st, AT_SYMLINK_NOFOLLOW) == 0)
			continue;
		return errno == ENOENT ? 0
				       : vol_errorf(err, "%s: %s", aside,
						    strerror(errno));
	}
	return vol_errorf_errno(err, EEXIST,
				"%s: was put aside %d times already", name,
				ASIDE_MAX);
}

/* Where that is put: the job may want to remove another folder. */
static int open_aside(const struct vol_files *f, const char *path,
		      struct vol_error *err)
{
	const char *folder = f->record->folder, *name;
	int fd;

	if (!folder[0] || !vol_path_within(path, folder))
		return open_folder(f, path, &name, err);
	fd = vol_open_in(f->root, folder, O_PATH | O_DIRECTORY);
	return fd < 0 ? vol_errorf(err, "%s: %s", folder, strerror(errno)) : fd;
}

static int put_aside(const struct vol_files *f, const char *path,
		     struct vol_error *err)
{
	char aside[NAME_MAX + 1];
	const char *name;
	cleanup_fd int dir = open_folder(f, path, &name, err), to = -1;

	if (dir < 0)
		return -1;
	to = open_aside(f, path, err);
	if (to < 0 || find_name(f, to, name, aside, err) != 0)
		return -1;
	return renameat(dir, name, to, aside) == 0 || errno == ENOENT
		       ? 0
		       : vol_errorf(err, "%s: %s", path, strerror(errno));
}

/* make(1) and its like look at the time. */
static int settle(int fd, const struct vol_rollback_entry *e,
		  struct vol_error *err)
{
	const struct timespec times[2] = {
		{.tv_nsec = UTIME_OMIT},
		{.tv_sec = (time_t)(e->mtime_ns / 1000000000),
		 .tv_nsec = (long)(e->mtime_ns % 1000000000)}};
	struct stat st;

	if (fstat(fd, &st) != 0 ||
	    ((st.st_mode & 07777) != e->mode && fchmod(fd, e->mode) != 0) ||
	    /* The time of another user's file is not the job's to set. */
	    (futimens(fd, times) != 0 && errno != EPERM))
		return vol_errorf(err, "%s: %s", e->path, strerror(errno));
	return 0;
}

static int cut(const struct vol_files *f, const struct vol_rollback_entry *e,
	       struct vol_error *err)
{
	cleanup_fd int fd =
		vol_open_in(f->root, e->path, O_WRONLY | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0)
		return vol_errorf(err, "%s: %s", e->path, strerror(errno));
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size < e->length)
		return vol_errorf_errno(
			err, ESTALE, "%s: somebody else writes to it", e->path);
	if ((uint64_t)st.st_size > e->length &&
	    ftruncate(fd, (off_t)e->length) != 0)
		return vol_errorf(err, "%s: %s", e->path, strerror(errno));
	return settle(fd, e, err);
}

static int write_file(int fd, int copy, const struct vol_rollback_entry *e,
		      struct vol_error *err)
{
	off_t at = lseek(copy, 0, SEEK_CUR);
	uint64_t sum;

	if (fd < 0 || at < 0 || vol_sum_fd(copy, e->length, -1, &sum) != 0 ||
	    lseek(copy, at, SEEK_SET) != at)
		return vol_errorf(err, "%s: %s", e->path, strerror(errno));
	if (sum != e->sum)
		return vol_errorf_errno(err, EBADMSG,
					"%s: the image has other contents than "
					"it says",
					e->path);
	if (vol_sum_fd(copy, e->length, fd, &sum) != 0 ||
	    ftruncate(fd, (off_t)e->length) != 0)
		return vol_errorf(err, "%s: %s", e->path, strerror(errno));
	return settle(fd, e, err);
}

static int write_new(int dir, const char *name, int copy,
		     const struct vol_rollback_entry *e, struct vol_error *err)
{
	cleanup_fd int fd =
		openat(dir, name,
		       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		       0600);

	return write_file(fd, copy, e, err);
}

static int write_link(int dir, const char *name, int copy,
		      const struct vol_rollback_entry *e, struct vol_error *err)
{
	char target[PATH_MAX];
	ssize_t n =
		e->length < sizeof(target) ? read(copy, target, e->length) : -1;

	target[n > 0 ? n : 0] = '\0';
	return n >= 0 && symlinkat(target, dir, name) == 0
		       ? 0
		       : vol_errorf(err, "%s: %s", e->path, strerror(errno));
}

/* copy: of the image.  Complete before it has the name. */
static int put_new(const struct vol_files *f, int copy,
		   const struct vol_rollback_entry *e, struct vol_error *err)
{
	char new[NAME_MAX + 1];
	const char *name;
	cleanup_fd int dir = open_folder(f, e->path, &name, err), from = -1;

	if (dir < 0)
		return -1;
	from = open_aside(f, e->path, err);
	if (from < 0 || find_name(f, from, name, new, err) != 0)
		return -1;
	if ((e->how == VOL_ROLLBACK_TARGET
		     ? write_link(from, new, copy, e, err)
		     : write_new(from, new, copy, e, err)) == 0 &&
	    put_aside(f, e->path, err) == 0) {
		if (renameat(from, new, dir, name) == 0)
			return 0;
		vol_errorf(err, "%s: %s", e->path, strerror(errno));
	}
	unlinkat(from, new, 0);
	return -1;
}

static int put(const struct vol_files *f, int copy,
	       const struct vol_rollback_entry *e, struct vol_error *err)
{
	cleanup_fd int fd = -1;

	if (is_in_place(e, VOL_ROLLBACK_PUT))
		fd = vol_open_in(f->root, e->path, O_WRONLY | O_NONBLOCK);
	return fd >= 0 ? write_file(fd, copy, e, err)
		       : put_new(f, copy, e, err);
}

static int make(const struct vol_files *f, const struct vol_rollback_entry *e,
		struct vol_error *err)
{
	const char *name;
	cleanup_fd int dir = open_folder(f, e->path, &name, err);

	if (dir < 0)
		return -1;
	if (mkdirat(dir, name, 0700) != 0 ||
	    fchmodat(dir, name, e->mode, 0) != 0)
		return vol_errorf(err, "%s: %s", e->path, strerror(errno));
	return 0;
}

static int apply_as_job(const struct vol_files *f, size_t i, int copy,
			struct vol_error *err)
{
	const struct vol_rollback_entry *e = &f->record->entry[i];
	struct vol_rights rights;
	int rc = 0;

	if (as_job(f, &rights, err) != 0)
		return -1;
	if (f->act[i] == VOL_ROLLBACK_MAKE)
		rc = make(f, e, err);
	else if (f->act[i] == VOL_ROLLBACK_CUT)
		rc = cut(f, e, err);
	else if (f->act[i] == VOL_ROLLBACK_PUT)
		rc = put(f, copy, e, err);
	return vol_rights_back(&rights, err) != 0 ? -1 : rc;
}

/* A descriptor of the image's, which is root's: at the copy of this entry. */
static int open_copy(const struct vol_files *f, size_t i, struct vol_error *err)
{
	char path[PATH_MAX];
	cleanup_fd int fd = -1;
	uint64_t at = 0;

	snprintf(path, sizeof(path), "%s/" VOL_RECORD_COPIES, f->dir);
	for (size_t k = 0; k < i; k++)
		if (vol_rollback_has_copy(&f->record->entry[k]))
			at += f->record->entry[k].length;
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || at > INT64_MAX || lseek(fd, (off_t)at, SEEK_SET) < 0)
		return vol_errorf(err, "%s: %s", path, strerror(errno));
	return steal_fd(&fd);
}

static int apply(const struct vol_files *f, size_t i, struct vol_error *err)
{
	cleanup_fd int copy = -1;

	if (f->act[i] == VOL_ROLLBACK_KEEP)
		return 0;
	if (f->act[i] == VOL_ROLLBACK_PUT) {
		copy = open_copy(f, i, err);
		if (copy < 0)
			return -1;
	}
	return apply_as_job(f, i, copy, err);
}

static int put_all_aside(const struct vol_files *f, struct vol_error *err)
{
	struct vol_rights rights;
	int rc = 0;

	if (as_job(f, &rights, err) != 0)
		return -1;
	for (size_t i = 0; rc == 0 && i < f->n_added; i++)
		rc = put_aside(f, f->added[i], err);
	return vol_rights_back(&rights, err) != 0 ? -1 : rc;
}

int vol_files_apply(struct vol_files *f, struct vol_error *err)
{
	if (put_all_aside(f, err) != 0)
		return -1;
	for (size_t i = 0; i < f->record->entries; i++)
		if (apply(f, i, err) != 0)
			return -1;
	return 0;
}
