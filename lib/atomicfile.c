/* SPDX-License-Identifier: GPL-2.0-or-later */
/* atomicfile.c - replace or read a small file as a whole */
#include "config.h"

#include "atomicfile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"

/* First buffer of a read; most of our files are smaller. */
#define READ_CHUNK 4096

int vol_write_all(int fd, const void *data, size_t len)
{
	const char *at = data;
	ssize_t n;

	while (len > 0) {
		n = write(fd, at, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

/* "DIR/.NAME.XXXXXX" for "DIR/NAME"; dir gets "DIR" ("." when there is none).
 */
static int make_names(const char *path, char dir[PATH_MAX], char tmp[PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	size_t len = (size_t)(name - path);
	int n;

	if (!*name) {
		errno = EISDIR;
		return -1;
	}
	n = snprintf(tmp, PATH_MAX, "%.*s.%s.XXXXXX", (int)len, path, name);
	if (n < 0 || n >= PATH_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	/* Shorter than tmp; keeps the slash, so that "/" stays "/". */
	snprintf(dir, PATH_MAX, "%.*s", len ? (int)len : 1, len ? path : ".");
	return 0;
}

static int sync_folder(const char *dir)
{
	cleanup_fd int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -1 : fsync(fd);
}

#define AS_WE_ARE ((uid_t)-1), ((gid_t)-1)

struct manner {
	mode_t mode;
	bool durable;
	uid_t uid; /* -1: ours */
	gid_t gid;
};

static int fill(int fd, const void *data, size_t len, const struct manner *m)
{
	/* The owner first: that may clear bits of the mode. */
	if (((m->uid != (uid_t)-1 || m->gid != (gid_t)-1) &&
	     fchown(fd, m->uid, m->gid) != 0) ||
	    fchmod(fd, m->mode) != 0 || vol_write_all(fd, data, len) != 0)
		return -1;
	return m->durable ? fsync(fd) : 0;
}

static int replace(const char *path, const void *data, size_t len,
		   const struct manner *m, struct vol_error *err)
{
	char dir[PATH_MAX], tmp[PATH_MAX];
	cleanup_fd int fd = -1;
	int saved;

	if (make_names(path, dir, tmp) != 0)
		return vol_errorf(err, "%s: %s", path, strerror(errno));
	fd = mkostemp(tmp, O_CLOEXEC);
	if (fd < 0)
		return vol_errorf(err, "%s: %s", tmp, strerror(errno));
	if (fill(fd, data, len, m) != 0 || rename(tmp, path) != 0) {
		saved = errno;
		unlink(tmp);
		return vol_errorf_errno(err, saved, "%s: %s", path,
					strerror(saved));
	}
	if (m->durable && sync_folder(dir) != 0)
		return vol_errorf(err, "%s: %s", dir, strerror(errno));
	return 0;
}

int vol_file_replace(const char *path, const void *data, size_t len,
		     mode_t mode, int durable, struct vol_error *err)
{
	struct manner m = {mode, durable, AS_WE_ARE};

	return replace(path, data, len, &m, err);
}

int vol_file_replace_as(const char *path, const void *data, size_t len,
			mode_t mode, uid_t uid, gid_t gid,
			struct vol_error *err)
{
	struct manner m = {mode, true, uid, gid};

	return replace(path, data, len, &m, err);
}

void vol_file_tidy(const char *path)
{
	char dir[PATH_MAX], tmp[PATH_MAX];
	const char *name;
	struct dirent *e;
	size_t len;
	DIR *d;

	if (make_names(path, dir, tmp) != 0)
		return;
	d = opendir(dir);
	if (!d)
		return;
	name = strrchr(tmp, '/');
	name = name ? name + 1 : tmp;
	len = strlen(name);
	while ((e = readdir(d)))
		if (strlen(e->d_name) == len &&
		    strncmp(e->d_name, name, len - strlen("XXXXXX")) == 0)
			(void)unlinkat(dirfd(d), e->d_name, 0);
	closedir(d);
}

/* Make room for at least one more byte and the NUL, up to max + 1 bytes of
 * content: the one too many is how a file that is too big is noticed. */
static int grow(char **buf, size_t *size, size_t max)
{
	size_t want = *size ? *size * 2 : READ_CHUNK;
	char *bigger;

	if (want > max + 2)
		want = max + 2;
	bigger = realloc(*buf, want);
	if (!bigger)
		return -1;
	*buf = bigger;
	*size = want;
	return 0;
}

static char *read_all(int fd, size_t max, size_t *len)
{
	cleanup_free char *buf = NULL;
	size_t size = 0, used = 0;
	ssize_t n;

	for (;;) {
		if (used + 1 >= size && grow(&buf, &size, max) != 0)
			return NULL;
		n = read(fd, buf + used, size - 1 - used);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return NULL;
		if (n == 0)
			break;
		used += (size_t)n;
		if (used > max) {
			errno = EFBIG;
			return NULL;
		}
	}
	buf[used] = '\0';
	if (len)
		*len = used;
	return steal_ptr(&buf);
}

char *vol_file_read_fd(int fd, const char *name, size_t max, size_t *len,
		       struct vol_error *err)
{
	char *text = read_all(fd, max, len);

	if (!text && errno == EFBIG)
		vol_errorf(err, "%s: larger than %zu bytes", name, max);
	else if (!text)
		vol_errorf(err, "%s: %s", name, strerror(errno));
	return text;
}

char *vol_file_read(const char *path, size_t max, size_t *len,
		    struct vol_error *err)
{
	/* O_NONBLOCK: a FIFO without a writer must not hang us. */
	cleanup_fd int fd =
		open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0) {
		vol_errorf(err, "%s: %s", path, strerror(errno));
		return NULL;
	}
	return vol_file_read_fd(fd, path, max, len, err);
}

/* mkdir of one component; its mode does not depend on the umask. */
static int make_folder(const char *path, mode_t mode)
{
	cleanup_fd int fd = -1;

	if (mkdir(path, mode) != 0)
		return errno == EEXIST ? 0 : -1;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -1 : fchmod(fd, mode);
}

int vol_mkdir_p(const char *path, mode_t mode, struct vol_error *err)
{
	char part[PATH_MAX];
	struct stat st;
	size_t len = strlen(path), i;

	if (len == 0)
		return vol_errorf_errno(err, ENOENT, "empty folder name");
	if (len >= sizeof(part))
		return vol_errorf_errno(err, ENAMETOOLONG, "%s: %s", path,
					strerror(ENAMETOOLONG));
	/* Mostly it is there. */
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return 0;
	for (i = 1; i <= len; i++) {
		if (i < len && path[i] != '/')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (make_folder(part, mode) != 0)
			return vol_errorf(err, "%s: %s", part, strerror(errno));
	}
	if (stat(path, &st) != 0)
		return vol_errorf(err, "%s: %s", path, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return vol_errorf_errno(err, ENOTDIR, "%s: %s", path,
					strerror(ENOTDIR));
	return 0;
}
