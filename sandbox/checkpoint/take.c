/* SPDX-License-Identifier: GPL-2.0-or-later */
/* take.c - what a stopped job's files are, into its record and its image
 *
 * Names and contents are looked at with the job's rights; only what it has open
 * is root's to know.
 */
#include "config.h"

#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"

struct take {
	struct vol_record *r;
	const char *dir;
	int root;   /* of the job */
	int copies; /* of the image, -1: there are none */
	struct vol_opened opened;
};

static int as_job(const struct take *t, struct vol_rights *rights,
		  struct vol_error *err)
{
	const struct vol_record *r = t->r;

	return vol_rights_take(rights, vol_ids_of_base(r->base, r->uid),
			       vol_ids_of_base(r->base, r->gid), err);
}

static int add(const char *path, const struct vol_rollback_now *now, void *arg,
	       struct vol_error *err)
{
	static const int hows[] = {
		[VOL_ROLLBACK_IS_FILE] = VOL_ROLLBACK_STAT,
		[VOL_ROLLBACK_IS_FOLDER] = VOL_ROLLBACK_FOLDER,
		[VOL_ROLLBACK_IS_LINK] = VOL_ROLLBACK_LINK,
		[VOL_ROLLBACK_IS_OTHER] = VOL_ROLLBACK_OTHER,
	};
	struct vol_record *r = ((struct take *)arg)->r;
	struct vol_rollback_entry *e = &r->entry[r->entries];

	if (vol_record_has_output(r, path))
		return 0;
	if (r->entries == VOL_ROLLBACK_MAX)
		return vol_errorf_errno(err, EFBIG, "%s: more than %d files",
					r->folder, VOL_ROLLBACK_MAX);
	*e = (struct vol_rollback_entry){
		.how = hows[now->kind],
		.mode = now->mode,
		.length = now->length,
		.mtime_ns = now->mtime_ns,
		.ctime_ns = now->ctime_ns,
	};
	snprintf(e->path, sizeof(e->path), "%s", path);
	r->entries++;
	return 0;
}

/* By its name it must be the same, or a restored job would get another one. */
static int add_opened(struct take *t, const struct vol_opened_file *f,
		      struct vol_error *err)
{
	cleanup_fd int fd = vol_open_in(t->root, f->path, O_PATH | O_NOFOLLOW);
	struct vol_record *r = t->r;
	struct vol_rollback_now now;
	struct stat st;
	size_t i = 0;

	if (fd < 0 || fstat(fd, &st) != 0 || st.st_dev != f->dev ||
	    st.st_ino != f->ino || !vol_ckpath_valid(f->path) ||
	    vol_now_at(fd, "", &now, NULL) != 0)
		return vol_errorf_errno(err, EFBIG,
					"%.100s: the job has it open, and it "
					"is not found by that name",
					f->path);
	while (i < r->entries && strcmp(r->entry[i].path, f->path) != 0)
		i++;
	if (i == r->entries && add(f->path, &now, t, err) != 0)
		return -1;
	r->entry[i].opened = f->opened;
	return 0;
}

static int list(struct take *t, struct vol_error *err)
{
	const struct vol_record *r = t->r;

	if (r->files != VOL_ROLLBACK_OPENED && r->folder[0] &&
	    vol_mount_is_outside(r, r->folder) &&
	    vol_walk(t->root, r->folder, add, t, err) != 0)
		return -1;
	for (size_t i = 0; i < t->opened.n; i++)
		if (add_opened(t, &t->opened.file[i], err) != 0)
			return -1;
	return 0;
}

/* --- contents --------------------------------------------------------------
 */

static int open_as_job(const struct take *t, const char *path, int flags,
		       struct vol_error *err)
{
	struct vol_rights rights;
	int fd, errnum;

	if (as_job(t, &rights, err) != 0)
		return -1;
	fd = vol_open_in(t->root, path, flags);
	errnum = errno;
	if (vol_rights_back(&rights, err) != 0)
		return -1;
	errno = errnum;
	return fd < 0 ? vol_errorf(err, "%s: %s", path, strerror(errno)) : fd;
}

static bool is_as_before(int fd, const struct vol_rollback_entry *e)
{
	struct vol_rollback_now now;

	return vol_now_at(fd, "", &now, NULL) == 0 &&
	       now.kind == VOL_ROLLBACK_IS_FILE && now.length == e->length &&
	       now.mtime_ns == e->mtime_ns && now.ctime_ns == e->ctime_ns;
}

static int read_file(struct take *t, size_t i, struct vol_error *err)
{
	struct vol_rollback_entry *e = &t->r->entry[i];
	int copy = e->how == VOL_ROLLBACK_COPY ? t->copies : -1;
	cleanup_fd int fd = open_as_job(t, e->path, O_RDONLY | O_NONBLOCK, err);

	if (fd < 0)
		return -1;
	if (vol_sum_fd(fd, e->length, copy, &e->sum) != 0 && errno != ESTALE)
		return vol_errorf_errno(err, EIO, "%s: %s", e->path,
					strerror(errno));
	if (!is_as_before(fd, e))
		return vol_errorf_errno(err, EBUSY,
					"%s: somebody else writes to it while "
					"the job is stopped",
					e->path);
	return 0;
}

static int read_link(struct take *t, size_t i, struct vol_error *err)
{
	struct vol_rollback_entry *e = &t->r->entry[i];
	cleanup_fd int fd = open_as_job(t, e->path, O_PATH | O_NOFOLLOW, err);
	char target[PATH_MAX];

	if (fd < 0)
		return -1;
	if (vol_target_at(fd, "", target, &e->sum) != 0)
		return vol_errorf(err, "%s: %s", e->path, strerror(errno));
	e->length = strlen(target);
	return write(t->copies, target, e->length) == (ssize_t)e->length
		       ? 0
		       : vol_errorf_errno(err, EIO, "%s: %s", e->path,
					  strerror(errno));
}

/* If there are any. */
static int open_copies(struct take *t, struct vol_error *err)
{
	char path[PATH_MAX];
	size_t i = 0;

	while (i < t->r->entries && !vol_rollback_has_copy(&t->r->entry[i]))
		i++;
	if (i == t->r->entries)
		return 0;
	snprintf(path, sizeof(path), "%s/" VOL_RECORD_COPIES, t->dir);
	t->copies = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return t->copies < 0 ? vol_errorf(err, "%s: %s", path, strerror(errno))
			     : 0;
}

static int read_one(struct take *t, size_t i, struct vol_error *err)
{
	switch (t->r->entry[i].how) {
	case VOL_ROLLBACK_SUM:
	case VOL_ROLLBACK_COPY:
		return read_file(t, i, err);
	case VOL_ROLLBACK_TARGET:
		return read_link(t, i, err);
	default:
		return 0;
	}
}

static int read_all(struct take *t, struct vol_error *err)
{
	struct vol_record *r = t->r;
	struct vol_error reason;

	if (vol_rollback_plan(r->entry, r->entries, r->files, r->began_s, err) <
		    0 ||
	    open_copies(t, err) != 0)
		return -1;
	for (size_t i = 0; i < r->entries; i++) {
		struct vol_rollback_entry *e = &r->entry[i];

		if (read_one(t, i, &reason) == 0)
			continue;
		if (errno != EACCES || e->opened != VOL_ROLLBACK_CLOSED)
			return vol_errorf(err, "%s", reason.text);
		/* It is known by its times. */
		e->how = VOL_ROLLBACK_STAT;
	}
	return 0;
}

/* --- afterwards ------------------------------------------------------------
 */

/* What can not be opened is left as it is. */
static int sync_one(const struct take *t, const char *path)
{
	cleanup_fd int fd = vol_open_in(t->root, path, O_RDONLY | O_NONBLOCK);

	return fd < 0 ? 0 : fsync(fd);
}

static int sync_all(const struct take *t, struct vol_error *err)
{
	const struct vol_record *r = t->r;

	for (size_t i = 0; i < r->outputs; i++)
		if (sync_one(t, r->output[i].path) != 0)
			return vol_errorf_errno(
				err, EIO, "output %.100s: not on disk: %s",
				r->output[i].path, strerror(errno));
	/* Of these it is missed when the image is used. */
	for (size_t i = 0; i < r->entries; i++)
		if (r->entry[i].how == VOL_ROLLBACK_SUM)
			(void)sync_one(t, r->entry[i].path);
	return 0;
}

static int open_root(struct take *t, struct vol_error *err)
{
	char link[64];

	snprintf(link, sizeof(link), "/proc/%d/root", (int)t->r->pid1);
	t->root = open(link, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return t->root < 0 ? vol_errorf(err, "%s: %s", link, strerror(errno))
			   : 0;
}

int vol_take_sync(struct vol_record *r, struct vol_error *err)
{
	struct take t = {.r = r, .root = -1};
	struct vol_rights rights;
	int rc = -1;

	if (open_root(&t, err) == 0 && as_job(&t, &rights, err) == 0) {
		rc = sync_all(&t, err);
		if (vol_rights_back(&rights, err) != 0)
			rc = -1;
	}
	if (t.root >= 0)
		close(t.root);
	return rc;
}

/* --- the whole -------------------------------------------------------------
 */

static int take(struct take *t, struct vol_error *err)
{
	struct vol_record *r = t->r;
	struct vol_rights rights;
	struct timespec now;
	int rc;

	if (open_root(t, err) != 0 ||
	    vol_opened_find(&t->opened, r, err) != 0 ||
	    as_job(t, &rights, err) != 0)
		return -1;
	rc = list(t, err);
	if (vol_rights_back(&rights, err) != 0 || rc != 0)
		return -1;
	if (r->goes_on && read_all(t, err) != 0)
		return -1;
	clock_gettime(CLOCK_REALTIME, &now);
	r->moment_ns =
		(uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
	return 0;
}

int vol_take_files(struct vol_record *r, const char *dir, struct vol_error *err)
{
	struct take t = {.r = r, .dir = dir, .root = -1, .copies = -1};
	struct vol_error reason;
	int rc = take(&t, &reason);

	free(t.opened.file);
	if (t.root >= 0)
		close(t.root);
	if (t.copies >= 0)
		close(t.copies);
	if (rc == 0)
		return 0;
	r->entries = 0;
	/* CRIU would take EPERM for the job's own fault, for ever. */
	if (r->goes_on)
		return vol_errorf_errno(err, EIO, "files: %s", reason.text);
	/* Nothing runs after it: it can be used once. */
	for (char *c = reason.text; *c; c++)
		if (*c == '\n')
			*c = '?';
	snprintf(r->unlisted, sizeof(r->unlisted), "%s", reason.text);
	return 0;
}
