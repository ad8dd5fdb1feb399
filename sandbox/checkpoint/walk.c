/* SPDX-License-Identifier: GPL-2.0-or-later */
/* walk.c - all that is in a job's folder, and what a file is now */
#include "config.h"

#include "parts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "atomicfile.h"
#include "cleanup.h"
#include "text.h"

/* Tells whether bytes are the same where nobody tries to deceive: two other
 * contents agree once in 2^64. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#define CHUNK (1 << 20)

struct walk {
	vol_walk_f f;
	void *arg;
	bool skips; /* what is of another file system */
	char path[VOL_CKPATH_SIZE];
};

/* From 1970 to 2262: what is told of a time is no more than that it changed. */
static uint64_t nanoseconds(const struct statx_timestamp *t)
{
	const int64_t second = 1000000000;

	if (t->tv_sec < 0)
		return 0;
	if (t->tv_sec >= INT64_MAX / second)
		return INT64_MAX;
	return (uint64_t)(t->tv_sec * second + t->tv_nsec);
}

/* A file server's word, not what was kept of it here. */
int vol_now_at(int dir, const char *name, struct vol_rollback_now *now,
	       uint64_t *attributes)
{
	struct statx st;

	if (statx(dir, name,
		  AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_STATX_FORCE_SYNC,
		  STATX_BASIC_STATS, &st) != 0)
		return -1;
	*now = (struct vol_rollback_now){
		.kind = S_ISREG(st.stx_mode)   ? VOL_ROLLBACK_IS_FILE
			: S_ISDIR(st.stx_mode) ? VOL_ROLLBACK_IS_FOLDER
			: S_ISLNK(st.stx_mode) ? VOL_ROLLBACK_IS_LINK
					       : VOL_ROLLBACK_IS_OTHER,
		.mode = st.stx_mode & 07777,
		.length = st.stx_size,
		.mtime_ns = nanoseconds(&st.stx_mtime),
		.ctime_ns = nanoseconds(&st.stx_ctime),
	};
	if (attributes)
		*attributes = st.stx_attributes & st.stx_attributes_mask;
	return 0;
}

static int walk_folder(struct walk *w, int fd, size_t len, int depth,
		       struct vol_error *err);

static int walk_below(struct walk *w, int dir, const char *name, size_t len,
		      int depth, struct vol_error *err)
{
	int fd = openat(dir, name,
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	/* Another user's: the job reaches nothing in it.  Where all are its own
	 * it has closed one to itself. */
	if (fd < 0 && errno == EACCES && !w->skips &&
	    faccessat(dir, name, X_OK, AT_EACCESS) != 0 && errno == EACCES)
		return 0;
	if (fd < 0)
		return vol_errorf(err, "%s: %s", w->path, strerror(errno));
	if (depth == VOL_ROLLBACK_DEPTH) {
		close(fd);
		return vol_errorf_errno(err, EFBIG,
					"%s: more than %d folders deep",
					w->path, VOL_ROLLBACK_DEPTH);
	}
	return walk_folder(w, fd, len, depth + 1, err);
}

static int walk_entry(struct walk *w, int dir, const char *name, size_t len,
		      int depth, struct vol_error *err)
{
	char excerpt[VOL_EXCERPT_SIZE];
	struct vol_rollback_now now;
	uint64_t attributes;
	int rc;

	rc = snprintf(w->path + len, sizeof(w->path) - len, "/%s", name);
	if ((size_t)rc >= sizeof(w->path) - len || !vol_ckpath_valid(w->path))
		return vol_errorf_errno(
			err, EFBIG, "%s: too long a name, or an odd one",
			vol_text_excerpt(name, strlen(name), excerpt));
	len += (size_t)rc;
	if (vol_now_at(dir, name, &now, &attributes) != 0)
		return errno == ENOENT ? 0
				       : vol_errorf(err, "%s: %s", w->path,
						    strerror(errno));
	if (attributes & STATX_ATTR_MOUNT_ROOT && w->skips)
		return 0;
	if (attributes & STATX_ATTR_MOUNT_ROOT)
		return vol_errorf_errno(err, EFBIG,
					"%s: another file system begins there",
					w->path);
	rc = w->f(w->path, &now, w->arg, err);
	if (rc != 0 || now.kind != VOL_ROLLBACK_IS_FOLDER)
		return rc < 0 ? -1 : 0;
	return walk_below(w, dir, name, len, depth, err);
}

/* Closes fd. */
static int walk_folder(struct walk *w, int fd, size_t len, int depth,
		       struct vol_error *err)
{
	DIR *dir = fdopendir(fd);
	struct dirent *e;
	int rc = 0;

	if (!dir) {
		close(fd);
		return vol_errorf(err, "%s: %s", w->path, strerror(errno));
	}
	while (rc == 0 && (errno = 0, e = readdir(dir)))
		if (strcmp(e->d_name, ".") != 0 &&
		    strcmp(e->d_name, "..") != 0 &&
		    !vol_rollback_is_aside(e->d_name))
			rc = walk_entry(w, fd, e->d_name, len, depth, err);
	w->path[len] = '\0';
	if (rc == 0 && errno != 0)
		rc = vol_errorf(err, "%s: %s", w->path, strerror(errno));
	closedir(dir);
	return rc;
}

int vol_walk(int root, const char *folder, vol_walk_f f, void *arg,
	     struct vol_error *err)
{
	struct walk w = {.f = f, .arg = arg};
	int fd = vol_open_in(root, folder, O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		return vol_errorf(err, "%s: %s", folder, strerror(errno));
	snprintf(w.path, sizeof(w.path), "%s", folder);
	return walk_folder(&w, fd, strlen(w.path), 0, err);
}

int vol_walk_own(int fd, const char *folder, vol_walk_f f, void *arg,
		 struct vol_error *err)
{
	struct walk w = {.f = f, .arg = arg, .skips = true};
	int dir = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return vol_errorf(err, "%s: %s", folder, strerror(errno));
	snprintf(w.path, sizeof(w.path), "%s", folder);
	return walk_folder(&w, dir, strlen(w.path), 0, err);
}

int vol_target_at(int dir, const char *name, char target[PATH_MAX],
		  uint64_t *sum)
{
	ssize_t n = readlinkat(dir, name, target, PATH_MAX - 1);

	if (n < 0)
		return -1;
	target[n] = '\0';
	*sum = XXH64(target, (size_t)n, 0);
	return 0;
}

int vol_sum_fd(int fd, uint64_t length, int copy, uint64_t *sum)
{
	size_t size = length < CHUNK ? (size_t)length : CHUNK;
	cleanup_free char *chunk = malloc(size + 1);
	XXH64_state_t h;

	if (!chunk)
		return -1;
	XXH64_reset(&h, 0);
	while (length > 0) {
		ssize_t n =
			read(fd, chunk, length < size ? (size_t)length : size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			errno = ESTALE;
		if (n <= 0)
			return -1;
		XXH64_update(&h, chunk, (size_t)n);
		if (copy >= 0 && vol_write_all(copy, chunk, (size_t)n) != 0)
			return -1;
		length -= (uint64_t)n;
	}
	*sum = XXH64_digest(&h);
	return 0;
}
