/* SPDX-License-Identifier: GPL-2.0-or-later */
/* find.c - a running step: its cgroup, and what its processes are in */
#include "config.h"

#include "program.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "atomicfile.h"
#include "cleanup.h"
#include "text.h"

#define PROCS_MAX (1 << 20) /* bytes */

static int take_root(const struct vol_mount *m, void *arg,
		     struct vol_error *err)
{
	(void)err;
	if (strcmp(m->type, "cgroup2") == 0)
		snprintf(arg, PATH_MAX, "%s", m->point);
	return 0;
}

/* "" for the root, or where there is none. */
static void cgroup_of(pid_t pid, char *path, size_t size)
{
	cleanup_free char *text = NULL;
	char file[64], *line, *end;

	path[0] = '\0';
	snprintf(file, sizeof(file), "/proc/%d/cgroup", (int)pid);
	text = vol_file_read(file, PROCS_MAX, NULL, NULL);
	line = text ? strstr(text, "0::/") : NULL;
	if (!line || (line != text && line[-1] != '\n'))
		return;
	line += 3;
	end = strchr(line, '\n');
	if (end)
		*end = '\0';
	if (line[1] && strlen(line) < size)
		strcpy(path, line);
}

/* -1: it can not be told. */
static int look_above(const char *path, size_t root, struct vol_error *err)
{
	char above[PATH_MAX], *slash;

	snprintf(above, sizeof(above), "%s", path);
	while ((slash = strrchr(above, '/')) &&
	       (size_t)(slash - above) > root) {
		*slash = '\0';
		if (vol_cgroup_is_to_freeze(above) == 1)
			return vol_errorf_errno(err, EBUSY,
						"%s is frozen, and with it "
						"others than the task",
						above);
	}
	return 0;
}

int vol_find_batch(const char *task, struct vol_record *r, pid_t *supervisor,
		   struct vol_error *err)
{
	cleanup_fd int pid1 = -1;

	if (vol_record_find(task, r, supervisor, err) != 0)
		return -1;
	if (!r->batch)
		return vol_errorf_errno(err, EPERM,
					"only a batch script can be saved, not "
					"a step of srun's");
	pid1 = pidfd_open(r->pid1, 0);
	if (pid1 < 0 || vol_process_start(r->pid1) != r->start)
		return vol_errorf_errno(err, ESRCH, "the task has ended");
	return steal_fd(&pid1);
}

int vol_find_cgroup(pid_t pid, char *path, size_t size, bool *frozen,
		    struct vol_error *err)
{
	char root[PATH_MAX] = "", own[PATH_MAX], its[PATH_MAX];
	int state;

	path[0] = '\0';
	*frozen = false;
	if (vol_mounts_each(getpid(), take_root, root, err) != 0)
		return -1;
	cgroup_of(getpid(), own, sizeof(own));
	cgroup_of(pid, its, sizeof(its));
	if (!root[0] || !its[0] || vol_path_within(own, its))
		return 0;
	if (snprintf(path, size, "%s%s", root, its) >= (int)size)
		return vol_errorf_errno(err, ENAMETOOLONG, "cgroup: %s",
					strerror(ENAMETOOLONG));
	state = vol_cgroup_is_to_freeze(path);
	*frozen = state == 1;
	if (state < 0)
		path[0] = '\0';
	return state < 0 ? 0 : look_above(path, strlen(root), err);
}

ino_t vol_process_namespace(const char *pid, const char *name)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%.16s/ns/%s", pid, name);
	return stat(path, &st) == 0 ? st.st_ino : 0;
}

bool vol_process_is_zombie(const char *pid)
{
	cleanup_free char *text = NULL;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%.16s/status", pid);
	text = vol_file_read(path, VOL_STATUS_MAX, NULL, NULL);
	return !text || strstr(text, "\nState:\tZ");
}
