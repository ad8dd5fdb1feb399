/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mounts.c - the mounts of a sandbox: saved, taken from the machine, made anew
 */
#include "config.h"

#include "parts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cleanup.h"
#include "text.h"

/* root.c, dev.c and proc.c, and what file system each is. */
static const struct {
	const char *point, *type;
} own[] = {
	{"/", "tmpfs"},
	{"/dev", "tmpfs"},
	{"/dev/pts", "devpts"},
	{"/dev/shm", "tmpfs"},
	{"/home", "tmpfs"},
	{"/proc", "proc"},
	{"/run/scratch", "tmpfs"},
	{"/tmp", "tmpfs"},
	{"/var/tmp", "tmpfs"},
};

bool vol_mount_is_own(const struct vol_mount *m)
{
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (strcmp(own[i].point, m->point) == 0 &&
		    strcmp(own[i].type, m->type) == 0)
			return true;
	return false;
}

bool vol_mount_is_outside(const struct vol_record *r, const char *path)
{
	size_t inside = 0, outside = 0;

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (vol_path_within(path, own[i].point) &&
		    strlen(own[i].point) > inside)
			inside = strlen(own[i].point);
	for (size_t i = 0; i < r->mounts; i++)
		if (vol_path_within(path, r->mount[i]) &&
		    strlen(r->mount[i]) > outside)
			outside = strlen(r->mount[i]);
	return outside > inside;
}

bool vol_mount_is_cover(const struct vol_mount *m)
{
	return strncmp(m->point, "/proc/", 6) == 0;
}

/* "\040" is a space, see proc(5). */
static int unescape(const char *from, char *to, size_t size)
{
	size_t n = 0;

	for (; *from; from++) {
		unsigned int c = (unsigned char)*from;

		if (c == '\\' && sscanf(from, "\\%3o", &c) == 1)
			from += 3;
		if (n + 1 >= size) {
			errno = ENAMETOOLONG;
			return -1;
		}
		to[n++] = (char)c;
	}
	to[n] = '\0';
	return 0;
}

/* proc(5): id, parent, device, root, point, options, any number of fields, "-",
 * type, source, options. */
static int parse(char *line, struct vol_mount *m, struct vol_error *err)
{
	char *field[6], *rest = line, *type;

	for (size_t i = 0; i < 6; i++) {
		field[i] = strsep(&rest, " ");
		if (!field[i] || !rest)
			return vol_errorf_errno(err, EINVAL,
						"mounts: cannot be read");
	}
	type = strncmp(rest, "- ", 2) == 0 ? rest + 2 : strstr(rest, " - ");
	if (!type)
		return vol_errorf_errno(err, EINVAL, "mounts: cannot be read");
	if (type != rest + 2)
		type += 3;
	snprintf(m->type, sizeof(m->type), "%.*s", (int)strcspn(type, " "),
		 type);
	snprintf(m->options, sizeof(m->options), "%s", field[5]);
	if (unescape(field[4], m->point, sizeof(m->point)) != 0)
		return vol_errorf(err, "mount %.100s: %s", field[4],
				  strerror(errno));
	return 0;
}

int vol_mounts_each(pid_t pid,
		    int (*f)(const struct vol_mount *m, void *arg,
			     struct vol_error *err),
		    void *arg, struct vol_error *err)
{
	cleanup_free char *line = NULL;
	cleanup_file FILE *from = NULL;
	struct vol_mount m;
	char path[64];
	size_t size = 0;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/mountinfo", (int)pid);
	from = fopen(path, "re");
	if (!from)
		return vol_errorf(err, "%s: %s", path, strerror(errno));
	while ((n = getline(&line, &size, from)) > 0) {
		line[n - 1] = '\0';
		if (parse(line, &m, err) != 0 || f(&m, arg, err) != 0)
			return -1;
	}
	return 0;
}
