/* SPDX-License-Identifier: GPL-2.0-or-later */
/* authkey_file.c - the key in the file where munged or slurmd reads it */
#include "config.h"

#include "authkey_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "atomicfile.h"
#include "cleanup.h"

#define MODE_KEY 0400
/* Bits that would make it everybody's. */
#define MODE_BAD 037

static int check(int fd, const char *path, struct vol_error *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return vol_errorf(err, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return vol_errorf_errno(err, EPERM, "%s: not a regular file",
					path);
	if (st.st_mode & MODE_BAD)
		return vol_errorf_errno(
			err, EPERM,
			"%s: others than its owner may use it (mode %04o)",
			path, (unsigned)(st.st_mode & 07777));
	return 0;
}

int vol_authkey_load(const char *path, struct vol_authkey *k,
		     vol_sha256_f sha256, struct vol_error *err)
{
	/* O_NONBLOCK: a FIFO without a writer must not hang us. */
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY |
					       O_NOFOLLOW | O_NONBLOCK);
	char *text;
	size_t len;
	int rc;

	if (fd < 0)
		return vol_errorf(err, "%s: %s", path, strerror(errno));
	if (check(fd, path, err) < 0)
		return -1;
	text = vol_file_read_fd(fd, path, VOL_AUTHKEY_MAX, &len, err);
	if (!text)
		return -1;
	rc = vol_authkey_set(k, text, len, sha256, err);
	if (rc < 0)
		vol_error_prefix(err, "%s", path);
	explicit_bzero(text, len);
	free(text);
	return rc;
}

/* A copy, since path must never be without a key.  Whatever it is: it may be
 * longer than what we hand out. */
static int keep_old(const char *path, const struct stat *owner,
		    struct vol_error *err)
{
	char old[PATH_MAX];
	char *text;
	size_t len;
	int rc;

	if (snprintf(old, sizeof(old), "%s" VOL_AUTHKEY_OLD, path) >=
	    (int)sizeof(old))
		return vol_errorf_errno(err, ENAMETOOLONG, "%s: %s", path,
					strerror(ENAMETOOLONG));
	text = vol_file_read(path, 64 * VOL_AUTHKEY_MAX, &len, err);
	if (!text)
		return errno == ENOENT ? 0 : -1;
	rc = vol_file_replace_as(old, text, len, MODE_KEY, owner->st_uid,
				 owner->st_gid, err);
	explicit_bzero(text, len);
	free(text);
	return rc;
}

int vol_authkey_install(const char *path, const struct vol_authkey *k,
			bool keep, struct vol_error *err)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX];
	struct stat st;

	if (!slash || slash == path ||
	    snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path),
		     path) >= (int)sizeof(folder))
		return vol_errorf_errno(err, EINVAL, "%s: bad name", path);
	if (stat(folder, &st) < 0)
		return vol_errorf(err, "%s: %s", folder, strerror(errno));
	if (keep && keep_old(path, &st, err) < 0)
		return -1;
	return vol_file_replace_as(path, k->byte, k->bytes, MODE_KEY, st.st_uid,
				   st.st_gid, err);
}
