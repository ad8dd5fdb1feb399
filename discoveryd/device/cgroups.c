/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cgroups.c - where a process is in the cgroup2 tree, as we see it */
#include "config.h"

#include "device/cgroups.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "atomicfile.h"
#include "cleanup.h"

/* A machine with thousands of mounts is a server, but may volunteer. */
#define FILE_MAX (4 * 1024 * 1024)

static char *read_proc(const char *root, const char *pid, const char *name,
		       struct vol_error *err)
{
	char path[PATH_MAX];
	size_t len;

	if (snprintf(path, sizeof(path), "%s/proc/%s/%s", root, pid, name) >=
	    (int)sizeof(path)) {
		vol_errorf_errno(err, ENAMETOOLONG, "%s: too long", root);
		return NULL;
	}
	return vol_file_read(path, FILE_MAX, &len, err);
}

static int copy(char *to, size_t size, const char *from, size_t len,
		struct vol_error *err)
{
	if (len >= size)
		return vol_errorf_errno(err, ENAMETOOLONG,
					"cgroup path too long");
	memcpy(to, from, len);
	to[len] = '\0';
	return 0;
}

int vol_cgroup_path(const char *root, const char *pid, char *path, size_t size,
		    struct vol_error *err)
{
	cleanup_free char *text = NULL;
	const char *line;

	text = read_proc(root, pid, "cgroup", err);
	if (!text)
		return -1;
	line = strncmp(text, "0::", 3) ? strstr(text, "\n0::") : text;
	if (!line)
		return vol_errorf_errno(err, ENOENT,
					"process %s is in no cgroup2", pid);
	line += *line == '\n';
	line += strlen("0::");
	return copy(path, size, line, strcspn(line, "\n"), err);
}

/* "ID PARENT DEVICE ROOT POINT OPTIONS ... - TYPE SOURCE OPTIONS"; the length
 * of ROOT, which *at points to, or 0. */
static size_t parse_mount(const char *line, size_t len, const char **at)
{
	const char *dash, *end = line + len;
	int from = 0, to = 0, point = 0, after = 0;

	sscanf(line, "%*s %*s %*s %n%*s%n %n%*s%n", &from, &to, &point, &after);
	if (after == 0 || line + after > end ||
	    after - point != (int)strlen(VOL_CGROUP_MOUNT) ||
	    strncmp(line + point, VOL_CGROUP_MOUNT, (size_t)(after - point)))
		return 0;
	dash = strstr(line + after, " - ");
	if (!dash || dash >= end || strncmp(dash, " - cgroup2 ", 11) != 0)
		return 0;
	*at = line + from;
	return (size_t)(to - from);
}

int vol_cgroup_mounted(const char *root, const char *pid, char *path,
		       size_t size, struct vol_error *err)
{
	cleanup_free char *text = NULL;
	const char *found = NULL, *line;
	size_t found_len = 0;

	text = read_proc(root, pid, "mountinfo", err);
	if (!text)
		return -1;
	/* The last one covers the others. */
	for (line = text; *line; line += strcspn(line, "\n"), line += !!*line) {
		size_t len = parse_mount(line, strcspn(line, "\n"), &found);

		found_len = len ? len : found_len;
	}
	if (found_len == 0)
		return vol_errorf_errno(err, ENOENT,
					"no cgroup2 on " VOL_CGROUP_MOUNT);
	return copy(path, size, found, found_len, err);
}

void vol_cgroup_parent(char *path)
{
	char *slash = strrchr(path, '/');

	if (slash)
		slash[slash == path] = '\0';
}

static int open_file(const char *folder, const char *file, int flags)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s", folder, file) >=
	    (int)sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return open(path, flags | O_CLOEXEC);
}

int vol_cgroup_write(const char *folder, const char *file, const char *text)
{
	cleanup_fd int fd = open_file(folder, file, O_WRONLY);

	if (fd < 0)
		return -1;
	return write(fd, text, strlen(text)) < 0 ? -1 : 0;
}

int vol_cgroup_read(const char *folder, const char *file, char *text,
		    size_t size)
{
	cleanup_fd int fd = open_file(folder, file, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

	if (n < 0)
		return -1;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return 0;
}
