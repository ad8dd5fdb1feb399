/* SPDX-License-Identifier: GPL-2.0-or-later */
/* runtime.c - slurm-volunteer-runtime: have an image file mounted in its place
 *
 * slurm-volunteer-runtime [-d DIR] FILE
 *	FILE is root's and named by its content (lib/runtime.h).  All of it is
 *	read, and only if it is what its name says it is mounted on DIR/DIGEST.
 *	There is a mount of that name afterwards, or none.
 * slurm-volunteer-runtime [-d DIR] -c
 *	Nothing is mounted there any more; what runs keeps what it has.
 *
 * discoveryd runs it, since this takes as long as the file is large; an admin
 * may, too.  Without -d, DIR is where discoveryd looks for it, in the mounts of
 * process 1: a service of systemd's has mounts of its own, which end with it.
 * Those get it, too, where the former are not handed on to them.  Exit status
 *0, or 2 with one line on stdout (device/trial.h).
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "atomicfile.h"
#include "cleanup.h"
#include "device/runtimes.h"
#include "device/trial.h"
#include "digest.h"
#include "hex.h"
#include "runtime_mount.h"
#include "trusted.h"

/* sysexits(3) */
#define USAGE 64

#define CHUNK (1u << 20)

/* ---- whose mounts ---- */

/* *back: the mounts that were ours, if they are others. */
static int enter_host(int *back, struct vol_error *err)
{
	cleanup_fd int host = open("/proc/1/ns/mnt", O_RDONLY | O_CLOEXEC);
	cleanup_fd int own = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	struct stat theirs, ours;

	if (host < 0 || own < 0 || fstat(host, &theirs) != 0 ||
	    fstat(own, &ours) != 0)
		return vol_errorf(err, "mounts of process 1: %s",
				  strerror(errno));
	if (theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino)
		return 0;
	if (setns(host, CLONE_NEWNS) != 0)
		return vol_errorf(err, "mounts of process 1: %s",
				  strerror(errno));
	*back = steal_fd(&own);
	return 0;
}

static int go_back(int back, struct vol_error *err)
{
	if (setns(back, CLONE_NEWNS) != 0)
		return vol_errorf(err, "own mounts: %s", strerror(errno));
	return 0;
}

/* ---- what is in the file ---- */

static int hash(int file, char text[VOL_RUNTIME_SIZE], struct vol_error *err)
{
	struct vol_digest *d = vol_digest_create(err);
	cleanup_free uint8_t *chunk = malloc(CHUNK);
	uint8_t digest[VOL_SHA256_BYTES];
	ssize_t n = 0;

	if (!d || !chunk) {
		vol_digest_destroy(d);
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	}
	(void)posix_fadvise(file, 0, 0, POSIX_FADV_SEQUENTIAL);
	do {
		n = read(file, chunk, CHUNK);
		if (n > 0)
			(void)vol_digest_add(d, chunk, (size_t)n, err);
	} while (n > 0 || (n < 0 && errno == EINTR));
	vol_digest_take(d, digest);
	vol_digest_destroy(d);
	if (n < 0)
		return vol_errorf(err, "%s", strerror(errno));
	vol_hex_encode(digest, sizeof(digest), text);
	return 0;
}

/* The open file, which is what its name says. */
static int open_file(const char *path, enum vol_runtime_kind *kind,
		     char digest[VOL_RUNTIME_SIZE], struct vol_error *err)
{
	char found[VOL_RUNTIME_SIZE];
	struct stat st;
	cleanup_fd int fd = -1;

	if (vol_runtime_parse(path, kind, digest, err) < 0)
		return -1;
	if (*kind == VOL_RUNTIME_FOLDER)
		return vol_errorf_errno(
			err, EINVAL, "%s: neither .squashfs nor .erofs", path);
	fd = vol_trusted_open(path, &st, err);
	if (fd < 0)
		return -1;
	if (hash(fd, found, err) < 0)
		return vol_error_prefix(err, "%.12s.%s", digest,
					vol_runtime_type(*kind));
	if (strcmp(found, digest) != 0)
		return vol_errorf_errno(
			err, EINVAL,
			"%.12s.%s is not what its name says: its SHA-256 is "
			"%s",
			digest, vol_runtime_type(*kind), found);
	return steal_fd(&fd);
}

/* ---- in its place ---- */

/* A folder with an image on it. */
static int settle(int file, enum vol_runtime_kind kind, const char *target,
		  struct vol_error *err)
{
	if (vol_mkdir_p(target, 0755, err) < 0)
		return -1;
	if (vol_runtimes_mounted(target))
		return 0;
	/* What else may lie there is no image. */
	vol_runtime_unmount(target);
	return vol_runtime_mount(file, kind, target, err);
}

static int settle_here_too(const char *target, int back, struct vol_error *err)
{
	cleanup_fd int tree = open_tree(AT_FDCWD, target,
					OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (tree < 0)
		return vol_errorf(err, "%s: %s", target, strerror(errno));
	if (go_back(back, err) < 0 || vol_mkdir_p(target, 0755, err) < 0)
		return -1;
	if (vol_runtimes_mounted(target))
		return 0;
	if (move_mount(tree, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH) !=
	    0)
		return vol_errorf(err, "%s: cannot mount: %s", target,
				  strerror(errno));
	return 0;
}

static int place(const char *dir, const char *path, int back,
		 struct vol_error *err)
{
	enum vol_runtime_kind kind;
	char digest[VOL_RUNTIME_SIZE], target[PATH_MAX];
	cleanup_fd int fd = open_file(path, &kind, digest, err);

	if (fd < 0)
		return -1;
	if (snprintf(target, sizeof(target), "%s/%s", dir, digest) >=
	    (int)sizeof(target))
		return vol_errorf_errno(err, ENAMETOOLONG, "%.60s...: too long",
					dir);
	if (settle(fd, kind, target, err) < 0)
		return vol_error_prefix(err, "%.12s.%s", digest,
					vol_runtime_type(kind));
	return back < 0 ? 0 : settle_here_too(target, back, err);
}

static int take_away(const char *dir, struct vol_error *err)
{
	DIR *list = opendir(dir);
	char target[PATH_MAX];
	struct dirent *e;

	if (!list)
		return errno == ENOENT ? 0
				       : vol_errorf(err, "%s: %s", dir,
						    strerror(errno));
	while ((e = readdir(list))) {
		if (e->d_name[0] == '.' ||
		    snprintf(target, sizeof(target), "%s/%s", dir, e->d_name) >=
			    (int)sizeof(target))
			continue;
		vol_runtime_unmount(target);
		(void)rmdir(target);
	}
	closedir(list);
	return 0;
}

static int clear(const char *dir, int back, struct vol_error *err)
{
	if (take_away(dir, err) < 0)
		return -1;
	return back < 0 || (go_back(back, err) == 0 && take_away(dir, err) == 0)
		       ? 0
		       : -1;
}

int main(int argc, char **argv)
{
	const char *dir = NULL;
	bool all = false;
	struct vol_error err = {""};
	int c, back = -1, rc = 0;

	while ((c = getopt(argc, argv, "cd:")) != -1) {
		if (c == 'c')
			all = true;
		else if (c == 'd')
			dir = optarg;
		else
			return USAGE;
	}
	if (argc - optind != !all) {
		fprintf(stderr, "Usage: %s [-d DIR] FILE | -c\n", argv[0]);
		return USAGE;
	}
	/* Nobody waits for it so much. */
	(void)setpriority(PRIO_PROCESS, 0, 10);
	if (!dir)
		rc = enter_host(&back, &err);
	if (!dir)
		dir = VOL_RUNTIME_DIR;
	if (rc == 0)
		rc = all ? clear(dir, back, &err)
			 : place(dir, argv[optind], back, &err);
	if (rc < 0)
		puts(err.text);
	if (fflush(stdout) == EOF)
		return USAGE;
	return rc < 0 ? VOL_TRIAL_BROKEN : VOL_TRIAL_ALL;
}
