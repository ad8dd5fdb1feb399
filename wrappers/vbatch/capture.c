/* SPDX-License-Identifier: GPL-2.0-or-later */
/* capture.c - run a command and keep what it prints */
#include "config.h"

#include "capture.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"

/* scontrol and sbatch --help print some kilobytes. */
#define OUTPUT_MAX (1u << 20)

static int spawn(const char *const *argv, int out, pid_t *pid)
{
	posix_spawn_file_actions_t actions;
	int rc = posix_spawn_file_actions_init(&actions);

	if (rc)
		return rc;
	rc = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	if (!rc)
		rc = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO,
						      "/dev/null", O_RDONLY, 0);
	if (!rc)
		rc = posix_spawnp(pid, argv[0], &actions, NULL,
				  (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return rc;
}

static char *read_output(int fd)
{
	cleanup_free char *text = malloc(OUTPUT_MAX + 1);
	size_t size = 0;

	if (!text)
		return NULL;
	while (size < OUTPUT_MAX) {
		ssize_t n = read(fd, text + size, OUTPUT_MAX - size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return NULL;
		if (n == 0)
			break;
		size += (size_t)n;
	}
	text[size] = '\0';
	return steal_ptr(&text);
}

char *vb_capture(const char *const *argv, int *status, struct vol_error *err)
{
	cleanup_fd int in = -1;
	char *text;
	pid_t pid;
	int fds[2];
	int rc;

	if (pipe2(fds, O_CLOEXEC) < 0) {
		vol_errorf(err, "pipe: %s", strerror(errno));
		return NULL;
	}
	in = fds[0];
	rc = spawn(argv, fds[1], &pid);
	close(fds[1]);
	if (rc) {
		vol_errorf_errno(err, rc, "cannot run %s: %s", argv[0],
				 strerror(rc));
		return NULL;
	}
	text = read_output(in);
	if (!text)
		vol_errorf(err, "cannot read from %s: %s", argv[0],
			   strerror(errno));
	close(steal_fd(&in));
	while (waitpid(pid, &rc, 0) < 0 && errno == EINTR)
		;
	*status = WIFEXITED(rc) ? WEXITSTATUS(rc) : 128 + WTERMSIG(rc);
	return text;
}
