/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stdio.c - input and output that slurmstepd opened outside
 *
 * Pipes, sockets and terminals lead to slurmstepd and stay.  A file is opened
 * again through the mounts of the inside, so that no descriptor leads out; one
 * that can not be, in no working folder, is not what a job may read or write,
 * however slurmstepd came by it.
 */
#include "config.h"

#include "private.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "cleanup.h"

/* mem(4) */
#define IS_NULL(st) (S_ISCHR((st)->st_mode) && (st)->st_rdev == makedev(1, 3))

static const char *const names[] = {"input", "output", "error output"};

static int look(const struct vol_sandbox *s, int i, struct vol_stdio *io,
		const struct stat *st, struct vol_error *err)
{
	char link[48], *path = io->fd[i].path;
	ssize_t n;

	io->fd[i].reopen = true;
	io->fd[i].flags = fcntl(i, F_GETFL);
	io->fd[i].dev = st->st_dev;
	io->fd[i].ino = st->st_ino;
	if (io->fd[i].flags < 0)
		return vol_errorf(err, "%s: %s", names[i], strerror(errno));
	if (IS_NULL(st)) {
		io->fd[i].null = true;
		strcpy(path, "/dev/null");
		return 0;
	}
	/* Not by way of /proc/self: see view_proc.c. */
	snprintf(link, sizeof(link), "/proc/%d/fd/%d", (int)getpid(), i);
	n = readlink(link, path, sizeof(io->fd[i].path) - 1);
	/* Links of the job's may lead to folders so deep. */
	if (n < 0 && errno == ENAMETOOLONG)
		return vol_errorf_errno(err, VOL_JOBS_FAULT,
					"%s: its path has more than %d bytes",
					names[i], PATH_MAX - 1);
	if (n < 0)
		return vol_errorf(err, "%s: %s", names[i], strerror(errno));
	path[n] = '\0';
	if ((!S_ISREG(st->st_mode) && !S_ISFIFO(st->st_mode)) ||
	    !vol_walls_hold(&s->walls.work, path))
		return vol_errorf_errno(err, VOL_JOBS_FAULT,
					"%s: %s is in no working folder of "
					"this device",
					names[i], path);
	/* Opened again it would wait for somebody at its other end. */
	io->fd[i].reopen = S_ISREG(st->st_mode);
	io->fd[i].at = io->fd[i].reopen ? lseek(i, 0, SEEK_CUR) : 0;
	if (io->fd[i].at < 0)
		return vol_errorf(err, "%s: %s", names[i], strerror(errno));
	return 0;
}

/* Made by slurmstepd, and without a name. */
static bool is_pipe(int fd, const struct stat *st)
{
	struct statfs fs;

	return S_ISFIFO(st->st_mode) && fstatfs(fd, &fs) == 0 &&
	       fs.f_type == PIPEFS_MAGIC;
}

int vol_stdio_look(const struct vol_sandbox *s, struct vol_stdio *io,
		   struct vol_error *err)
{
	struct stat st;

	memset(io, 0, sizeof(*io));
	for (int i = 0; i < 3; i++) {
		if (fstat(i, &st) != 0) {
			if (errno == EBADF)
				continue;
			/* NFS: somebody has removed it meanwhile. */
			return vol_errorf_errno(
				err, errno == ESTALE ? VOL_JOBS_FAULT : errno,
				"%s: %s", names[i], strerror(errno));
		}
		if (is_pipe(i, &st) || S_ISSOCK(st.st_mode) || isatty(i))
			continue;
		if (look(s, i, io, &st, err) != 0)
			return -1;
	}
	return 0;
}

static bool is_same(const struct stat *st, const struct vol_stdio *io, int i)
{
	return io->fd[i].null
		       ? IS_NULL(st)
		       : S_ISREG(st->st_mode) && st->st_dev == io->fd[i].dev &&
				 st->st_ino == io->fd[i].ino;
}

/* Output and error output in one file share an offset. */
static bool is_like_output(const struct vol_stdio *io)
{
	return io->fd[1].reopen && !io->fd[1].null &&
	       io->fd[1].dev == io->fd[2].dev &&
	       io->fd[1].ino == io->fd[2].ino &&
	       io->fd[1].flags == io->fd[2].flags;
}

static int reopen(const struct vol_stdio *io, struct vol_error *err)
{
	const int kept = O_ACCMODE | O_APPEND | O_NONBLOCK | O_SYNC;
	struct stat st;

	for (int i = 0; i < 3; i++) {
		cleanup_fd int fd = -1;

		if (!io->fd[i].reopen)
			continue;
		if (i == 2 && is_like_output(io)) {
			if (dup2(1, 2) < 0)
				return vol_errorf(err, "%s: %s", names[i],
						  strerror(errno));
			continue;
		}
		fd = open(io->fd[i].path, (io->fd[i].flags & kept) | O_NOCTTY |
						  O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0 || fstat(fd, &st) != 0)
			return vol_errorf(err, "%s: %s inside: %s", names[i],
					  io->fd[i].path, strerror(errno));
		if (!is_same(&st, io, i))
			return vol_errorf_errno(err, ESTALE,
						"%s: %s is another file inside",
						names[i], io->fd[i].path);
		if (!io->fd[i].null && lseek(fd, io->fd[i].at, SEEK_SET) < 0)
			return vol_errorf(err, "%s: %s", names[i],
					  strerror(errno));
		if (dup2(fd, i) < 0)
			return vol_errorf(err, "%s: %s", names[i],
					  strerror(errno));
	}
	return 0;
}

/* slurmstepd could open it; a file that the job changes meanwhile, or closes to
 * itself with its umask, is the job's affair. */
int vol_stdio_reopen(const struct vol_stdio *io, struct vol_error *err)
{
	int rc = reopen(io, err);

	if (rc != 0)
		errno = VOL_JOBS_FAULT;
	return rc;
}
