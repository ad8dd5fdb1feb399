/* SPDX-License-Identifier: GPL-2.0-or-later */
/* select_divert.c - tell dpkg where an upgrade must put a file we stand for */
#include "config.h"

#include "select_divert.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"

#define PROGRAM "dpkg-divert"

extern char **environ;

/* Read fd to its end; what does not fit is dropped. */
static void drain(int fd, char *buf, size_t size)
{
	char junk[512];
	size_t used = 0;
	ssize_t n;

	for (;;) {
		bool full = used + 1 >= size;

		n = read(fd, full ? junk : buf + used,
			 full ? sizeof(junk) : size - used - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		if (!full)
			used += (size_t)n;
	}
	buf[used] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
}

/* Run argv; its first line of output goes to out.  The wait is bounded by
 * dpkg-divert itself, which takes no lock and asks nothing. */
static int run(char *const argv[], char *out, size_t size,
	       struct vol_error *err)
{
	posix_spawn_file_actions_t actions;
	int fds[2], status, rc;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return vol_errorf(err, "pipe: %m");
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, fds[1], STDERR_FILENO);
	rc = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(fds[1]);
	if (rc == 0)
		drain(fds[0], out, size);
	close(fds[0]);
	if (rc)
		return vol_errorf_errno(err, rc, "%s: %s", argv[0],
					strerror(rc));
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return vol_errorf(err, "%s: %m", argv[0]);
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return vol_errorf_errno(err, EIO, "%s failed: %s", argv[0],
					out);
	return 0;
}

static int divert(const char *root, const char *verb, const char *path,
		  const char *target, char *out, size_t size,
		  struct vol_error *err)
{
	char root_arg[PATH_MAX + 8];
	const char *argv[10] = {PROGRAM};
	size_t n = 1;

	if (root[0]) {
		snprintf(root_arg, sizeof(root_arg), "--root=%s", root);
		argv[n++] = root_arg;
	}
	if (target) {
		argv[n++] = "--quiet";
		argv[n++] = "--local";
		argv[n++] = "--no-rename";
		argv[n++] = "--divert";
		argv[n++] = target;
	}
	argv[n++] = verb;
	argv[n] = path;
	return run((char *const *)argv, out, size, err);
}

bool vol_divert_available(const char *root)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/var/lib/dpkg/status", root);
	return access(path, F_OK) == 0;
}

int vol_divert_get(const char *root, const char *path, const char *target,
		   bool *diverted, struct vol_error *err)
{
	char out[PATH_MAX];

	if (divert(root, "--truename", path, NULL, out, sizeof(out), err) < 0)
		return -1;
	*diverted = strcmp(out, target) == 0;
	if (!*diverted && strcmp(out, path) != 0)
		return vol_errorf_errno(
			err, EEXIST, "%s is already diverted to %s", path, out);
	return 0;
}

int vol_divert_add(const char *root, const char *path, const char *target,
		   struct vol_error *err)
{
	char out[PATH_MAX];

	return divert(root, "--add", path, target, out, sizeof(out), err);
}

int vol_divert_remove(const char *root, const char *path, const char *target,
		      struct vol_error *err)
{
	char out[PATH_MAX];

	return divert(root, "--remove", path, target, out, sizeof(out), err);
}
