/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ids.c - ids of the job's own
 *
 * Inside the user has the id that files and programs expect, outside one that
 * is nobody's: all that the kernel grants to "the same user" (signals, ptrace,
 * keyrings, files by mode, limits by user) ends at the sandbox, even where
 * some other wall had a hole.  Files of the working folders keep the job's id
 * through an id-mapped mount.
 */
#include "config.h"

#include "private.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"

/* It returns from a function. */
#define HOLDER_STACK 4096

/* One file of which each byte stands for a range: its lock belongs to the open
 * file, so it lasts until the last process that inherited the descriptor is
 * gone, however it ends, and nothing is left to clean up. */
int vol_ids_take(struct vol_sandbox *s, const char *path, struct vol_error *err)
{
	struct flock lock = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
	cleanup_fd int fd =
		open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	uint32_t n = s->walls.uid_ranges;

	if (fd < 0)
		return vol_errorf(err, "%s: %s", path, strerror(errno));
	for (uint32_t i = 0; i < n; i++) {
		uint32_t range = (s->job.job + i) % n;

		lock.l_start = range;
		if (fcntl(fd, F_OFD_SETLK, &lock) == 0) {
			s->base = s->walls.uid_base + range * VOL_WALLS_RANGE;
			s->ids_fd = steal_fd(&fd);
			return 0;
		}
		if (errno != EAGAIN && errno != EACCES)
			return vol_errorf(err, "%s: cannot lock: %s", path,
					  strerror(errno));
	}
	return vol_errorf_errno(err, EAGAIN,
				"all %" PRIu32 " ranges of ids are in use", n);
}

/* An id above the range takes the place of the last one in it. */
static int write_map(pid_t pid, const char *name, uint32_t base, uint32_t id,
		     struct vol_error *err)
{
	char path[64], text[96];
	cleanup_fd int fd = -1;
	int len;

	if (id < VOL_WALLS_RANGE)
		len = snprintf(text, sizeof(text), "0 %" PRIu32 " %u\n", base,
			       VOL_WALLS_RANGE);
	else
		len = snprintf(text, sizeof(text),
			       "0 %" PRIu32 " %u\n%" PRIu32 " %" PRIu32 " 1\n",
			       base, VOL_WALLS_RANGE - 1, id,
			       base + VOL_WALLS_RANGE - 1);
	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, (size_t)len) != len)
		return vol_errorf(err, "%s: %s", path, strerror(errno));
	return 0;
}

int vol_ids_map(const struct vol_sandbox *s, pid_t pid, struct vol_error *err)
{
	if (write_map(pid, "uid_map", s->base, s->job.uid, err) != 0)
		return -1;
	return write_map(pid, "gid_map", s->base, s->job.gid, err);
}

uint32_t vol_ids_of_base(uint32_t base, uint32_t id)
{
	if (!base)
		return id;
	return base + (id < VOL_WALLS_RANGE ? id : VOL_WALLS_RANGE - 1);
}

uint32_t vol_ids_outside(const struct vol_sandbox *s, uint32_t id)
{
	return vol_ids_of_base(s->ids ? s->base : 0, id);
}

static int end_at_once(void *arg)
{
	(void)arg;
	return 0;
}

/* It, and then its zombie, has the namespace, in which nothing runs.  It has
 * our memory, of which a copy would take longer than all else here, and nobody
 * waits until it had its turn; nobody's handler of signals is to run in it. */
static pid_t spawn_holder(void)
{
	static char stack[HOLDER_STACK] __attribute__((aligned(16)));
	/* No SIGCHLD: slurmstepd must not take it for a task. */
	const int flags = CLONE_VM | CLONE_NEWUSER;
	sigset_t all, old;
	pid_t pid;

	sigfillset(&all);
	if (sigprocmask(SIG_BLOCK, &all, &old) != 0)
		return -1;
	pid = clone(end_at_once, stack + sizeof(stack), flags, NULL);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return pid;
}

int vol_ids_userns(struct vol_sandbox *s, struct vol_error *err)
{
	char path[64];
	int fd;

	s->holder_pid = spawn_holder();
	if (s->holder_pid < 0)
		return vol_errorf(err, "new user namespace: %s",
				  strerror(errno));
	if (vol_ids_map(s, s->holder_pid, err) != 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)s->holder_pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? vol_errorf(err, "%s: %s", path, strerror(errno)) : fd;
}

void vol_ids_end(struct vol_sandbox *s)
{
	int saved = errno;

	while (s->holder_pid > 0 && waitpid(s->holder_pid, NULL, __WALL) < 0 &&
	       errno == EINTR)
		;
	s->holder_pid = 0;
	errno = saved;
}
