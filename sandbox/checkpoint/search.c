/* SPDX-License-Identifier: GPL-2.0-or-later */
/* search.c - a running step, by the folder that holds its tasks */
#include "config.h"

#include "parts.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "atomicfile.h"
#include "cleanup.h"
#include "text.h"

/* Folders of a cgroup's tree that are open at once. */
#define OPEN_FOLDERS 8

#define PROCS_MAX (1 << 20) /* bytes */

static struct {
	struct vol_record *record;
	pid_t found; /* 0: not yet */
} search;

/* A supervisor is root's; what is inside is not. */
static bool is_roots(pid_t pid)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	return stat(path, &st) == 0 && st.st_uid == 0;
}

static int look(const char *path, const struct stat *st, int type,
		struct FTW *ftw)
{
	cleanup_free char *text = NULL;
	char *at;
	int n, pid;

	(void)st;
	if (type != FTW_F || strcmp(path + ftw->base, "cgroup.procs") != 0)
		return 0;
	text = vol_file_read(path, PROCS_MAX, NULL, NULL);
	for (at = text; at && sscanf(at, "%d%n", &pid, &n) == 1; at += n)
		if (is_roots(pid) &&
		    vol_record_of(pid, search.record, NULL) == 0) {
			search.found = pid;
			return 1;
		}
	return 0;
}

int vol_record_find(const char *task, struct vol_record *record,
		    pid_t *supervisor, struct vol_error *err)
{
	uint64_t pid;

	if (vol_text_number(task, strlen(task), 1, INT_MAX, &pid) == 0) {
		*supervisor = (pid_t)pid;
		return vol_record_of((pid_t)pid, record, err);
	}
	search.record = record;
	search.found = 0;
	if (task[0] != '/' ||
	    nftw(task, look, OPEN_FOLDERS, FTW_PHYS | FTW_MOUNT) < 0)
		return vol_errorf_errno(err, EINVAL,
					"%s: no process and no cgroup", task);
	if (!search.found)
		return vol_errorf_errno(err, ENOENT,
					"%s: no task of a sandbox in it", task);
	*supervisor = search.found;
	return 0;
}
