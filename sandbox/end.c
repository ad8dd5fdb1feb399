/* SPDX-License-Identifier: GPL-2.0-or-later */
/* end.c - what is left of a step whose tasks have ended
 *
 * Slurm (proctrack_p_wait) sends it SIGKILL, too, but when it finds that
 * something is still there a moment later, it sleeps for 1 s before it looks
 * again, then for 2 s, and so on.
 */
#include "config.h"

#include "private.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"

/* As long as Slurm's first sleep, which comes if this is not enough. */
#define END_MS 1000
/* The kernel tells at most once in 10 ms that a cgroup is empty. */
#define LOOK_MS 2

static int open_in(const char *cgroup, const char *name, int flags)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s", cgroup, name) >=
	    (int)sizeof(path))
		return -1;
	return open(path, flags | O_CLOEXEC);
}

/* Linux 5.14; without it Slurm's SIGKILL has to do. */
static void kill_all(const char *cgroup)
{
	cleanup_fd int fd = open_in(cgroup, "cgroup.kill", O_WRONLY);

	if (fd >= 0 && write(fd, "1", 1) < 0)
		return;
}

static bool is_populated(int events)
{
	char text[128];
	ssize_t n = pread(events, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return strstr(text, "populated 1");
}

static int ms_since(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int)((now.tv_sec - start->tv_sec) * 1000 +
		     (now.tv_nsec - start->tv_nsec) / 1000000);
}

void vol_sandbox_end(struct vol_sandbox *s, const char *cgroup)
{
	pid_t pid = s->shared ? s->shared->pid1 : 0;
	cleanup_fd int events = -1, pid1 = -1;
	struct timespec start;
	struct pollfd wait;

	clock_gettime(CLOCK_MONOTONIC, &start);
	/* Not reaped before destroy: the number is its own. */
	if (pid > 0 && kill(pid, SIGKILL) == 0)
		pid1 = pidfd_open(pid, 0);
	if (cgroup)
		events = open_in(cgroup, "cgroup.events", O_RDONLY);
	if (events >= 0 && is_populated(events))
		kill_all(cgroup);
	/* It is in the cgroup.  Until its pidfd says that it ended, others must
	 * have reaped tasks whose supervisor was killed. */
	wait = (struct pollfd){.fd = pid1, .events = POLLIN};
	if (pid1 >= 0 && events < 0)
		poll(&wait, 1, END_MS);
	wait = (struct pollfd){.fd = events, .events = POLLPRI};
	while (events >= 0 && is_populated(events) && ms_since(&start) < END_MS)
		poll(&wait, 1, LOOK_MS);
}
