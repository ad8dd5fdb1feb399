/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hurt.c - what a CRIU that did not come to its end has left of a job
 *
 * CRIU has each process run a program of its own, in memory that it maps there
 * for that, and puts it back.  When it is killed the process runs into a trap
 * instead, and whoever waits for it may make anything of that.
 */
#include "config.h"

#include "program.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"

/* compel/src/lib/infect.c of CRIU */
#define THEIR_MEMORY "/memfd:CRIUMFD"

int vol_pids_find(pid_t pid1, struct vol_pids *pids, struct vol_error *err)
{
	DIR *dir = opendir("/proc");
	struct dirent *e;
	char first[16];
	int rc = 0;
	ino_t ns;

	*pids = (struct vol_pids){.n = 0};
	snprintf(first, sizeof(first), "%d", (int)pid1);
	ns = vol_process_namespace(first, "pid");
	if (!dir || ns == 0)
		rc = vol_errorf(err, "/proc: %s", strerror(errno));
	while (rc == 0 && (e = readdir(dir))) {
		pid_t *grown;

		if (e->d_name[0] < '1' || e->d_name[0] > '9' ||
		    vol_process_namespace(e->d_name, "pid") != ns ||
		    vol_process_is_zombie(e->d_name))
			continue;
		grown = reallocarray(pids->pid, pids->n + 1, sizeof(*grown));
		if (!grown) {
			rc = vol_errorf_errno(err, ENOMEM, "out of memory");
			break;
		}
		pids->pid = grown;
		pids->pid[pids->n++] = atoi(e->d_name);
	}
	if (dir)
		closedir(dir);
	if (rc != 0)
		vol_pids_clear(pids);
	return rc;
}

void vol_pids_clear(struct vol_pids *pids)
{
	int saved = errno;

	free(pids->pid);
	*pids = (struct vol_pids){.n = 0};
	errno = saved;
}

static bool has(const struct vol_pids *pids, pid_t pid)
{
	for (size_t i = 0; i < pids->n; i++)
		if (pids->pid[i] == pid)
			return true;
	return false;
}

static bool has_their_memory(pid_t pid)
{
	cleanup_free char *line = NULL;
	char path[32];
	size_t size = 0;
	bool found = false;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	maps = fopen(path, "re");
	while (maps && !found && getline(&line, &size, maps) > 0)
		found = strstr(line, THEIR_MEMORY);
	if (maps)
		fclose(maps);
	return found;
}

bool vol_hurt_by_criu(pid_t pid1, const struct vol_pids *before)
{
	struct vol_pids now;
	bool hurt = false;

	/* It has ended, and was waited for: by what, its status says. */
	if (vol_pids_find(pid1, &now, NULL) != 0)
		return false;
	for (size_t i = 0; before && !hurt && i < before->n; i++)
		hurt = !has(&now, before->pid[i]);
	for (size_t i = 0; !hurt && i < now.n; i++)
		hurt = has_their_memory(now.pid[i]);
	vol_pids_clear(&now);
	return hurt;
}
