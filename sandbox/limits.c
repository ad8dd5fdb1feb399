/* SPDX-License-Identifier: GPL-2.0-or-later */
/* limits.c - what a job can use up
 *
 * CPU, memory and I/O are the volunteer slice's, which discoveryd sets; here is
 * what a slice does not hold.
 */
#include "config.h"

#include "private.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "atomicfile.h"
#include "cleanup.h"

#define CGROUP_MOUNT "/sys/fs/cgroup"

/* It becomes another user, and that is all: on a machine that takes longer for
 * it no job does well. Others of that user can stop it.  Twice in a row: after
 * a thaw both it and we run again, and the first one is over. */
#define GUARD_MS    5000
#define GUARD_WAITS 2
/* It calls three functions that call the kernel. */
#define GUARD_STACK 16384

/* Each port that a job sends from and each of its connections is a socket, and
 * a port, of the machine's, which gives away some 28000 (ip_local_port_range).
 */
#define NET_FILES 2048

/* A path of 4096 bytes a line, of which cgroup v1 may add a dozen. */
#define PROC_CGROUP_MAX (64 * 1024)
#define CONTROLLERS_MAX 4096

static int set_limit(int resource, const char *name, rlim_t soft, rlim_t hard,
		     struct vol_error *err)
{
	struct rlimit limit, old;

	if (getrlimit(resource, &old) != 0)
		return vol_errorf(err, "limit of %s: %s", name,
				  strerror(errno));
	limit.rlim_max = hard < old.rlim_max ? hard : old.rlim_max;
	limit.rlim_cur = soft < limit.rlim_max ? soft : limit.rlim_max;
	if (setrlimit(resource, &limit) != 0)
		return vol_errorf(err, "limit of %s: %s", name,
				  strerror(errno));
	return 0;
}

/* In slurmstepd's memory: it must not leave anything there, nor errno. */
static int become_user(void *arg)
{
	const struct vol_sandbox_job *job = arg;

	prctl(PR_SET_NAME, "vol-guard");
	/* The C library does not know that it is a child: its setresuid would
	 * wait for threads that only slurmstepd has. */
	return syscall(SYS_setresgid, job->gid, job->gid, job->gid) != 0 ||
	       syscall(SYS_setresuid, job->uid, job->uid, job->uid) != 0;
}

/* One process of the job's user.  It ends at once and is not reaped: a zombie
 * counts (the kernel's release_task() ends that), and Slurm, which looks for
 * processes of the step when the tasks have ended and looks again a second
 * later only, does not see it.  As in ids.c, a copy of our memory would take
 * longer than all else; the kernel sees to it that nobody who may trace the
 * user's processes can look into it (commit_creds()), see wait_guard(). */
static pid_t spawn_guard(const struct vol_sandbox *s)
{
	static char stack[GUARD_STACK] __attribute__((aligned(16)));
	sigset_t all, old;
	pid_t pid;

	sigfillset(&all);
	if (sigprocmask(SIG_BLOCK, &all, &old) != 0)
		return -1;
	/* No SIGCHLD: slurmstepd must not take it for a task. */
	pid = clone(become_user, stack + sizeof(stack), CLONE_VM,
		    (void *)&s->job);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return pid;
}

int vol_limits_guard(struct vol_sandbox *s, struct vol_error *err)
{
	s->dumpable = prctl(PR_GET_DUMPABLE) == 1;
	s->guard_pid = spawn_guard(s);
	if (s->guard_pid < 0)
		return vol_errorf(err, "process of the user: %s",
				  strerror(errno));
	return 0;
}

static int wait_guard(const struct vol_sandbox *s, struct vol_error *err)
{
	cleanup_fd int fd = pidfd_open(s->guard_pid, 0);
	struct pollfd guard = {.fd = fd, .events = POLLIN};
	siginfo_t end = {.si_pid = 0};
	int n = 0;

	if (fd < 0)
		return vol_errorf(err, "process of the user: %s",
				  strerror(errno));
	for (int i = 0; i < GUARD_WAITS && n == 0; i++)
		do
			n = poll(&guard, 1, GUARD_MS);
		while (n < 0 && errno == EINTR);
	if (n == 0)
		return vol_errorf_errno(err, ETIMEDOUT,
					"process of the user: not there after "
					"%d s",
					GUARD_WAITS * GUARD_MS / 1000);
	if (n < 0 ||
	    waitid(P_PID, (id_t)s->guard_pid, &end,
		   WEXITED | WNOHANG | WNOWAIT | __WALL) != 0 ||
	    end.si_code != CLD_EXITED || end.si_status != 0)
		return vol_errorf_errno(err, ECHILD,
					"process of the user: it failed");
	/* It is gone, and with it what a change of user did to our memory. */
	if (s->dumpable && prctl(PR_SET_DUMPABLE, 1) != 0)
		return vol_errorf(err, "dumpable: %s", strerror(errno));
	return 0;
}

/* slurmstepd runs a --task-epilog as the job's user, with an environment that
 * the user wrote, behind no wall but hide.c's.  Under a limit of no processes
 * the kernel lets nobody but root run a program who became a user that has one
 * already (execve(2), EAGAIN); so we see to it that the user has one.  Tasks,
 * whose user we change, get a limit of their own. */
int vol_limits_stepd(struct vol_sandbox *s, struct vol_error *err)
{
	if (wait_guard(s, err) != 0)
		return -1;
	return set_limit(RLIMIT_NPROC, "processes", 0, RLIM_INFINITY, err);
}

void vol_limits_end(struct vol_sandbox *s)
{
	if (s->guard_pid > 0) {
		kill(s->guard_pid, SIGKILL);
		while (waitpid(s->guard_pid, NULL, __WALL) < 0 &&
		       errno == EINTR)
			;
	}
	s->guard_pid = 0;
}

int vol_limits_task(const struct vol_sandbox *s, struct vol_error *err)
{
	/* Counted by user: where that is not the job's own, other processes of
	 * the same number would count. */
	rlim_t tasks = s->ids ? s->walls.tasks : RLIM_INFINITY;

	/* 1 is what the kernel knows as "no program for core dumps": 0 would
	 * let the machine's, which runs as root outside, take them.
	 * filter_compile.c keeps it there. */
	if (set_limit(RLIMIT_CORE, "core files", 1, 1, err) != 0 ||
	    set_limit(RLIMIT_NPROC, "processes", tasks, tasks, err) != 0)
		return -1;
	return set_limit(RLIMIT_NOFILE, "open files", s->walls.open_files,
			 s->walls.open_files, err);
}

int vol_limits_net(const struct vol_sandbox *s, struct vol_error *err)
{
	return vol_limits_task(s, err) == 0
		       ? set_limit(RLIMIT_NOFILE, "open files", NET_FILES,
				   NET_FILES, err)
		       : -1;
}

int vol_limits_oom(pid_t pid, struct vol_error *err)
{
	char path[64];
	cleanup_fd int fd = -1;

	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int)pid);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "1000", 4) != 4)
		return vol_errorf(err, "%s: %s", path, strerror(errno));
	return 0;
}

static int write_word(const char *dir, const char *name, const char *word)
{
	char path[PATH_MAX];
	cleanup_fd int fd = -1;

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >=
	    (int)sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = open(path, O_WRONLY | O_CLOEXEC);
	return fd < 0 || write(fd, word, strlen(word)) < 0 ? -1 : 0;
}

/* The folder of the step's tasks: .../step_0/user of .../step_0/user/task_0. */
static bool user_folder(const char *proc_cgroup, char *path, size_t size)
{
	const char *line = strstr(proc_cgroup, "0::/");
	const char *end;

	if (!line || (line != proc_cgroup && line[-1] != '\n'))
		return false;
	line += 3;
	end = strstr(line, "/user/task_");
	if (!end || memchr(line, '\n', (size_t)(end - line)))
		return false;
	return snprintf(path, size, CGROUP_MOUNT "%.*s/user", (int)(end - line),
			line) < (int)size;
}

/* The kernel has the controller, and has not given it to cgroup v1. */
static bool has_pids(void)
{
	cleanup_free char *text =
		vol_file_read(CGROUP_MOUNT "/cgroup.controllers",
			      CONTROLLERS_MAX, NULL, NULL);

	return !text || strstr(text, "pids");
}

/* Slurm passes on the controllers that it uses; pids is not one of them. */
static void pass_on_pids(char *path)
{
	char *slash = path + strlen(CGROUP_MOUNT);

	while (slash) {
		*slash = '\0';
		write_word(path, "cgroup.subtree_control", "+pids");
		*slash = '/';
		slash = strchr(slash + 1, '/');
	}
}

int vol_limits_cgroup(const struct vol_sandbox *s, struct vol_error *err)
{
	cleanup_free char *text = NULL;
	char path[PATH_MAX], number[16];

	/* Not by way of /proc/self: see view_proc.c. */
	snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)getpid());
	text = vol_file_read(path, PROC_CGROUP_MAX, NULL, err);
	if (!text)
		return -1;
	if (!user_folder(text, path, sizeof(path)))
		return 0;
	snprintf(number, sizeof(number), "%u", s->walls.tasks);
	if (write_word(path, "pids.max", number) == 0)
		return 0;
	if (errno == ENOENT || errno == EACCES) {
		/* RLIMIT_NPROC is left, where there are ids of the job's. */
		if (!has_pids())
			return 0;
		pass_on_pids(path);
		if (write_word(path, "pids.max", number) == 0)
			return 0;
	}
	return errno == ENOENT ? 0
			       : vol_errorf(err, "%s/pids.max: %s", path,
					    strerror(errno));
}
