/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trusted.c - open a file that another daemon keeps for us
 *
 * What is checked is the open file, never a name that could change in between;
 * the folder is looked at by name, since whoever can exchange it owns the path.
 */
#include "config.h"

#include "trusted.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "cleanup.h"

static int folder_owner(const char *path, uid_t *owner)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX];
	struct stat st;
	size_t len = slash ? (size_t)(slash - path) : 0;

	if (len >= sizeof(folder)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(folder, path, len);
	folder[len] = '\0';
	if (!len)
		strcpy(folder, slash ? "/" : ".");
	if (stat(folder, &st) < 0)
		return -1;
	*owner = st.st_uid;
	return 0;
}

int vol_trusted_open(const char *path, struct stat *st, struct vol_error *err)
{
	cleanup_fd int fd = -1;
	uid_t folder;

	/* O_NONBLOCK: somebody's FIFO must not hold us up. */
	fd = open(path,
		  O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, st) < 0)
		return vol_errorf(err, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st->st_mode))
		return vol_errorf_errno(err, EINVAL, "%s: not a file", path);
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return vol_errorf_errno(err, EPERM,
					"%s: others than its owner may write "
					"it",
					path);
	if (st->st_uid == 0 || st->st_uid == geteuid())
		return steal_fd(&fd);
	if (folder_owner(path, &folder) < 0)
		return vol_errorf(err, "%s: its folder: %s", path,
				  strerror(errno));
	if (st->st_uid != folder)
		return vol_errorf_errno(err, EPERM,
					"%s: belongs to user %u, a stranger",
					path, (unsigned int)st->st_uid);
	return steal_fd(&fd);
}
