/* SPDX-License-Identifier: GPL-2.0-or-later */
/* opened.c - the files that a stopped job has open for writing */
#include "config.h"

#include "program.h"

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

/* vm.max_map_count lines of a path each, at the very most. */
#define MAPS_MAX (512u << 20)

static int add(struct vol_opened *all, const struct stat *st, int how,
	       const char *path, struct vol_error *err)
{
	struct vol_opened_file *f;

	for (size_t i = 0; i < all->n; i++)
		if (all->file[i].dev == st->st_dev &&
		    all->file[i].ino == st->st_ino) {
			if (how > all->file[i].opened)
				all->file[i].opened = how;
			return 0;
		}
	f = reallocarray(all->file, all->n + 1, sizeof(*f));
	if (!f)
		return vol_errorf(err, "%s", strerror(errno));
	all->file = f;
	f += all->n;
	*f = (struct vol_opened_file){
		.dev = st->st_dev, .ino = st->st_ino, .opened = how};
	if (strlen(path) >= sizeof(f->path))
		return vol_errorf_errno(err, EFBIG, "%.60s...: too long", path);
	strcpy(f->path, path);
	all->n++;
	return 0;
}

/* link leads to a file by its inode, and reads as the job's name for it. */
static int take_link(struct vol_opened *all, const struct vol_record *r,
		     const char *link, int how, struct vol_error *err)
{
	char path[PATH_MAX];
	struct stat st;
	ssize_t n;

	/* Without a name it is in the image. */
	if (stat(link, &st) != 0 || !S_ISREG(st.st_mode) || st.st_nlink == 0)
		return 0;
	n = readlink(link, path, sizeof(path) - 1);
	if (n < 0)
		return vol_errorf(err, "%s: %s", link, strerror(errno));
	path[n] = '\0';
	if (path[0] != '/' || !vol_mount_is_outside(r, path))
		return 0;
	for (size_t i = 0; i < r->outputs; i++)
		if (strcmp(r->output[i].path, path) == 0)
			return 0;
	return add(all, &st, how, path, err);
}

/* -1: it can not be told, or not for writing. */
static int how_opened(const char *pid, const char *number)
{
	cleanup_free char *text = NULL;
	char path[320], *line;
	unsigned int flags;

	snprintf(path, sizeof(path), "/proc/%.16s/fdinfo/%.16s", pid, number);
	text = vol_file_read(path, 1 << 20, NULL, NULL);
	line = text ? strstr(text, "flags:") : NULL;
	if (!line || sscanf(line, "flags: %o", &flags) != 1 ||
	    (flags & O_PATH) || (flags & O_ACCMODE) == O_RDONLY)
		return -1;
	return (flags & O_ACCMODE) == O_WRONLY && (flags & O_APPEND)
		       ? VOL_ROLLBACK_APPEND
		       : VOL_ROLLBACK_WRITE;
}

static int take_descriptors(struct vol_opened *all, const struct vol_record *r,
			    const char *pid, struct vol_error *err)
{
	char path[320];
	struct dirent *e;
	int rc = 0, how;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%.16s/fd", pid);
	dir = opendir(path);
	while (dir && rc == 0 && (e = readdir(dir))) {
		how = e->d_name[0] == '.' ? -1 : how_opened(pid, e->d_name);
		if (how < 0)
			continue;
		snprintf(path, sizeof(path), "/proc/%.16s/fd/%.16s", pid,
			 e->d_name);
		rc = take_link(all, r, path, how, err);
	}
	if (dir)
		closedir(dir);
	return rc;
}

/* proc(5): first-last permissions ...; "rw-s" is shared, and written to. */
static int take_maps(struct vol_opened *all, const struct vol_record *r,
		     const char *pid, struct vol_error *err)
{
	cleanup_free char *text = NULL;
	unsigned long first, last;
	char path[320], what[8], *line, *rest;

	snprintf(path, sizeof(path), "/proc/%.16s/maps", pid);
	text = vol_file_read(path, MAPS_MAX, NULL, NULL);
	for (rest = text; rest && (line = strsep(&rest, "\n"));) {
		if (sscanf(line, "%lx-%lx %7s", &first, &last, what) != 3 ||
		    what[1] != 'w' || what[3] != 's')
			continue;
		snprintf(path, sizeof(path), "/proc/%.16s/map_files/%lx-%lx",
			 pid, first, last);
		if (take_link(all, r, path, VOL_ROLLBACK_WRITE, err) != 0)
			return -1;
	}
	return 0;
}

static ino_t pids_of(const char *pid)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%.16s/ns/pid", pid);
	return stat(path, &st) == 0 ? st.st_ino : 0;
}

int vol_opened_find(struct vol_opened *all, const struct vol_record *r,
		    struct vol_error *err)
{
	DIR *dir = opendir("/proc");
	char first[16];
	struct dirent *e;
	ino_t ns;
	int rc = 0;

	snprintf(first, sizeof(first), "%d", (int)r->pid1);
	ns = pids_of(first);
	if (!dir || ns == 0)
		rc = vol_errorf(err, "/proc: %s", strerror(errno));
	while (rc == 0 && (e = readdir(dir))) {
		if (e->d_name[0] < '1' || e->d_name[0] > '9' ||
		    pids_of(e->d_name) != ns)
			continue;
		rc = take_descriptors(all, r, e->d_name, err);
		if (rc == 0)
			rc = take_maps(all, r, e->d_name, err);
	}
	if (dir)
		closedir(dir);
	return rc;
}
