/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unpack.c - the files of an image without processes, in a new sandbox
 *
 * They are made inside, by the job's user, where nothing of the machine's can
 * be reached that the job could not reach itself; from folder to folder,
 * without following a link, and only in the tmpfs that ends with the sandbox
 * (root.c), or it could be led to other files of its own: a home may be a
 * folder of the machine's here.
 */
#include "config.h"

#include "../attempt.h"
#include "parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "ckfiles.h"

#define SCRATCH "/run/scratch"

struct unpacking {
	int root, copies;
	dev_t scratch;
	const struct vol_record *record;
};

static int failed(const struct vol_rollback_entry *e, struct vol_error *err)
{
	return vol_errorf(err, "%.200s: %s", e->path,
			  errno == EXDEV ? "there is a folder of the machine's"
					 : strerror(errno));
}

/* The folder that it is in; *name in its path. */
static int open_folder(const struct unpacking *u,
		       const struct vol_rollback_entry *e, const char **name)
{
	const char *slash = strrchr(e->path, '/');
	char folder[VOL_CKPATH_SIZE];
	cleanup_fd int fd = -1;
	struct stat st;

	snprintf(folder, sizeof(folder), "%.*s", (int)(slash - e->path),
		 e->path);
	*name = slash + 1;
	fd = vol_open_in(u->root, folder, O_PATH | O_DIRECTORY);
	if (fd < 0 || fstat(fd, &st) != 0)
		return -1;
	if (st.st_dev != u->scratch) {
		errno = EXDEV;
		return -1;
	}
	return steal_fd(&fd);
}

static void set_times(const struct vol_rollback_entry *e,
		      struct timespec times[2])
{
	times[0] = (struct timespec){.tv_nsec = UTIME_OMIT};
	times[1] =
		(struct timespec){.tv_sec = (time_t)(e->mtime_ns / 1000000000),
				  .tv_nsec = (long)(e->mtime_ns % 1000000000)};
}

/* --- making them ------------------------------------------------------------
 */

static int make_file(const struct unpacking *u, int dir, const char *name,
		     const struct vol_rollback_entry *e)
{
	cleanup_fd int fd =
		openat(dir, name,
		       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		       0600);
	struct timespec times[2];
	uint64_t sum;

	set_times(e, times);
	return fd >= 0 && vol_sum_fd(u->copies, e->length, fd, &sum) == 0 &&
			       fchmod(fd, e->mode) == 0 &&
			       futimens(fd, times) == 0
		       ? 0
		       : -1;
}

static int make_link(const struct unpacking *u, int dir, const char *name,
		     const struct vol_rollback_entry *e)
{
	struct timespec times[2];
	char target[PATH_MAX];
	ssize_t n = e->length < sizeof(target)
			    ? read(u->copies, target, e->length)
			    : -1;

	if (n < 0 || (uint64_t)n != e->length ||
	    memchr(target, '\0', (size_t)n)) {
		errno = EBADMSG;
		return -1;
	}
	target[n] = '\0';
	set_times(e, times);
	return symlinkat(target, dir, name) == 0 &&
			       utimensat(dir, name, times,
					 AT_SYMLINK_NOFOLLOW) == 0
		       ? 0
		       : -1;
}

static int make(const struct unpacking *u, const struct vol_rollback_entry *e)
{
	const char *name;
	cleanup_fd int dir = open_folder(u, e, &name);

	if (dir < 0)
		return -1;
	switch (e->how) {
	case VOL_ROLLBACK_FOLDER:
		return mkdirat(dir, name, 0700);
	case VOL_ROLLBACK_TARGET:
		return make_link(u, dir, name, e);
	default:
		return make_file(u, dir, name, e);
	}
}

/* When nothing is put into it any more. */
static int settle(const struct unpacking *u, const struct vol_rollback_entry *e)
{
	cleanup_fd int fd =
		vol_open_in(u->root, e->path, O_RDONLY | O_DIRECTORY);
	struct timespec times[2];

	set_times(e, times);
	return fd >= 0 && futimens(fd, times) == 0 && fchmod(fd, e->mode) == 0
		       ? 0
		       : -1;
}

static int unpack(const struct unpacking *u, struct vol_error *err)
{
	const struct vol_record *r = u->record;

	for (size_t i = 0; i < r->entries; i++)
		if (make(u, &r->entry[i]) != 0)
			return failed(&r->entry[i], err);
	for (size_t i = r->entries; i-- > 0;)
		if (r->entry[i].how == VOL_ROLLBACK_FOLDER &&
		    settle(u, &r->entry[i]) != 0)
			return failed(&r->entry[i], err);
	return 0;
}

/* --- after a failure --------------------------------------------------------
 */

/* Half of what it had is nothing that a program could know. */
static void forget(const struct unpacking *u)
{
	const struct vol_record *r = u->record;

	for (size_t i = 0; i < r->entries; i++) {
		cleanup_fd int fd = -1;

		if (r->entry[i].how != VOL_ROLLBACK_FOLDER)
			continue;
		fd = vol_open_in(u->root, r->entry[i].path,
				 O_RDONLY | O_DIRECTORY);
		if (fd >= 0)
			(void)fchmod(fd, 0700);
	}
	for (size_t i = r->entries; i-- > 0;) {
		const struct vol_rollback_entry *e = &r->entry[i];
		const char *name;
		cleanup_fd int dir = open_folder(u, e, &name);

		if (dir >= 0)
			(void)unlinkat(dir, name,
				       e->how == VOL_ROLLBACK_FOLDER
					       ? AT_REMOVEDIR
					       : 0);
	}
}

void vol_unpack(struct vol_brought *b)
{
	cleanup_fd int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct unpacking u = {
		.root = root, .copies = b->copies, .record = &b->record};
	struct stat st;

	b->failed.text[0] = '\0';
	if (root < 0 || stat(SCRATCH, &st) != 0 ||
	    (u.copies >= 0 && lseek(u.copies, 0, SEEK_SET) != 0)) {
		vol_errorf(&b->failed, "/: %s", strerror(errno));
		return;
	}
	u.scratch = st.st_dev;
	if (unpack(&u, &b->failed) != 0)
		forget(&u);
}

/* --- outside, before --------------------------------------------------------
 */

static int open_image(const struct vol_sandbox *s, const char *dir,
		      struct vol_brought *b, struct vol_error *err)
{
	char path[PATH_MAX];
	size_t i = 0;

	if (vol_record_read(dir, VOL_RECORD_FILE, &b->record, err) != 0 ||
	    vol_record_check_job(&b->record, s, err) != 0 ||
	    vol_ckfiles_check(b->record.entry, b->record.entries,
			      s->walls.scratch_bytes, err) != 0)
		return -1;
	while (i < b->record.entries &&
	       !vol_rollback_has_copy(&b->record.entry[i]))
		i++;
	if (i == b->record.entries)
		return 0;
	snprintf(path, sizeof(path), "%s/" VOL_RECORD_COPIES, dir);
	b->copies = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	return b->copies < 0 ? vol_errorf(err, "%s: %s", path, strerror(errno))
			     : 0;
}

static int bring(struct vol_sandbox *s, const char *dir, struct vol_error *err)
{
	/* Most of it is never touched. */
	cleanup_free struct vol_brought *b = calloc(1, sizeof(*b));

	if (!b)
		return vol_errorf(err, "%s", strerror(errno));
	b->copies = -1;
	if (open_image(s, dir, b, err) != 0)
		return -1;
	vol_errorf(&b->failed, "it was not begun");
	s->brought = steal_ptr(&b);
	return 0;
}

int vol_sandbox_bring(struct vol_sandbox *s, const char *dir,
		      struct vol_error *err)
{
	struct vol_caller caller;
	struct vol_error reason = {""};
	int rc = vol_attempt_root(&caller, &reason);

	if (rc == 0)
		rc = bring(s, dir, &reason);
	vol_attempt_caller(&caller);
	return rc == 0 ? 0 : vol_errorf(err, "%s", reason.text);
}

const char *vol_sandbox_unbrought(const struct vol_sandbox *s)
{
	return s->brought && s->brought->failed.text[0]
		       ? s->brought->failed.text
		       : NULL;
}
