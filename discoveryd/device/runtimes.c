/* SPDX-License-Identifier: GPL-2.0-or-later */
/* runtimes.c - images that are mounted to be the system of jobs */
#include "config.h"

#include "device/runtimes.h"

#include <errno.h>
#include <linux/magic.h>
#include <spawn.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"
#include "runtime.h"

bool vol_runtimes_mounted(const char *path)
{
	const long flags = ST_RDONLY | ST_NOSUID | ST_NODEV;
	struct statfs fs;

	return statfs(path, &fs) == 0 &&
	       (fs.f_type == SQUASHFS_MAGIC ||
		fs.f_type == EROFS_SUPER_MAGIC_V1) &&
	       (fs.f_flags & flags) == flags;
}

void vol_runtimes_clear(const char *program)
{
	char *argv[] = {(char *)program, (char *)"-c", NULL}, *env[] = {NULL};
	int status = 0, rc;
	pid_t pid;

	if (access(VOL_RUNTIME_DIR, F_OK) < 0)
		return;
	rc = posix_spawn(&pid, program, NULL, NULL, argv, env);
	while (rc == 0 && waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			rc = errno;
	if (rc || status)
		vol_warn("images stay mounted: %s: %s", program,
			 rc ? strerror(rc) : "failed");
}
