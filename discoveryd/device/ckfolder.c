/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckfolder.c - a folder for images that are on their way */
#include "config.h"

#include "device/ckfolder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "atomicfile.h"
#include "cleanup.h"

#define PREFIX "save."
/* Folders of a tree that are open at once. */
#define OPEN_FOLDERS 8

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	(void)st;
	(void)type;
	return ftw->level > 0 ? remove(path) : 0;
}

int vol_ckfolder_empty(const char *path, struct vol_error *err)
{
	if (nftw(path, remove_one, OPEN_FOLDERS,
		 FTW_DEPTH | FTW_PHYS | FTW_MOUNT) != 0)
		return vol_errorf(err, "%s: can not be emptied: %s", path,
				  strerror(errno));
	return 0;
}

void vol_ckfolder_remove(struct vol_ckfolder *folder)
{
	int saved = errno;

	if (folder->lock >= 0) {
		(void)vol_ckfolder_empty(folder->path, NULL);
		(void)rmdir(folder->path);
		close(folder->lock);
	}
	folder->lock = -1;
	errno = saved;
}

/* Does nobody live there any more?  false: it is still there. */
static bool sweep_one(const char *dir, const char *name)
{
	struct vol_ckfolder left = {.lock = -1};

	if (snprintf(left.path, sizeof(left.path), "%s/%s", dir, name) >=
	    (int)sizeof(left.path))
		return true;
	left.lock = open(left.path,
			 O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (left.lock >= 0 && flock(left.lock, LOCK_EX | LOCK_NB) != 0) {
		close(left.lock);
		return true; /* somebody does */
	}
	vol_ckfolder_remove(&left);
	return access(left.path, F_OK) < 0;
}

static bool sweep(const char *path)
{
	DIR *dir = opendir(path);
	bool done = true;
	struct dirent *e;

	while (dir && (e = readdir(dir)))
		if (strncmp(e->d_name, PREFIX, strlen(PREFIX)) == 0)
			done &= sweep_one(path, e->d_name);
	if (dir)
		closedir(dir);
	return done;
}

static int make_one(const char *dir, struct vol_ckfolder *folder,
		    struct vol_error *err)
{
	if (snprintf(folder->path, sizeof(folder->path), "%s/" PREFIX "XXXXXX",
		     dir) >= (int)sizeof(folder->path))
		return vol_errorf_errno(err, ENAMETOOLONG, "%.60s...: too long",
					dir);
	/* Mode 0700. */
	if (!mkdtemp(folder->path))
		return vol_errorf(err, "%s: %s", folder->path, strerror(errno));
	folder->lock = open(folder->path,
			    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder->lock < 0 || flock(folder->lock, LOCK_EX | LOCK_NB) != 0) {
		vol_errorf(err, "%s: %s", folder->path, strerror(errno));
		vol_ckfolder_remove(folder);
		return -1;
	}
	return 0;
}

int vol_ckfolder_make(const char *state_dir, struct vol_ckfolder *folder,
		      struct vol_error *err)
{
	cleanup_fd int fd = -1;
	char dir[PATH_MAX];

	folder->lock = -1;
	if (snprintf(dir, sizeof(dir), "%s/" VOL_CKFOLDER_DIR, state_dir) >=
	    (int)sizeof(dir))
		return vol_errorf_errno(err, ENAMETOOLONG, "%.60s...: too long",
					state_dir);
	if (vol_mkdir_p(dir, 0700, err) < 0)
		return -1;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	/* One is made and locked before the next one looks. */
	if (fd < 0 || flock(fd, LOCK_EX) != 0)
		return vol_errorf(err, "%s: %s", dir, strerror(errno));
	(void)sweep(dir);
	return make_one(dir, folder, err);
}

bool vol_ckfolder_tidy(const char *state_dir)
{
	cleanup_fd int fd = -1;
	char dir[PATH_MAX];

	if (snprintf(dir, sizeof(dir), "%s/" VOL_CKFOLDER_DIR, state_dir) >=
	    (int)sizeof(dir))
		return true;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	/* Without one there is nothing. */
	return fd < 0 || flock(fd, LOCK_EX) != 0 || sweep(dir);
}
