/* SPDX-License-Identifier: GPL-2.0-or-later */
/* enter.c - from slurmstepd's child to the task inside, and its supervisor
 *
 *	slurmstepd's child		pid 1			the task
 *	root again, signals blocked
 *	a network, if it gets one (net/net.h)
 *	clone3 ------------------------> fork ----------------> waits
 *	maps, limits; go, go ----------> makes a network ----\  builds the root
 *					drops all	      -> joins it
 *					drops all		drops all
 *	waits <------------------------------------------------ ready
 *	waits <------------------------ is slurm-volunteer-init	waits
 *	is slurm-volunteer-supervise -------------------------> returns 0
 *
 * Until the last line the task has not executed an instruction of the job,
 * and everything that was made ends with pid 1: each failure ends that, and
 * returns.  With several tasks pid 1 is made once, as a child of slurmstepd,
 * and each task joins its namespaces as a child of its own supervisor.
 */
#include "config.h"

#include "attempt.h"
#include "private.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <linux/securebits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "atomicfile.h"
#include "cleanup.h"

/* Ten short lines. */
#define FDINFO_MAX 4096

/* And that of a network, which takes longer than all of these. */
#define NAMESPACES                                                  \
	(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | \
	 CLONE_NEWCGROUP)

int vol_attempt_root(struct vol_caller *c, struct vol_error *err)
{
	sigset_t all;

	sigfillset(&all);
	if (sigprocmask(SIG_BLOCK, &all, &c->mask) != 0 ||
	    getresuid(&c->ruid, &c->euid, &c->suid) != 0 ||
	    getresgid(&c->rgid, &c->egid, &c->sgid) != 0)
		return vol_errorf(err, "%s", strerror(errno));
	c->umask = umask(022);
	return vol_privileges_root(err);
}

void vol_attempt_caller(const struct vol_caller *c)
{
	int saved = errno;

	/* It worked the other way round; should it not, we stay root, and the
	 * one that called does not go on to a task. */
	if (setresgid(c->rgid, c->egid, c->sgid) != 0 ||
	    setresuid(c->ruid, c->euid, c->suid) != 0)
		umask(077);
	else
		umask(c->umask);
	sigprocmask(SIG_SETMASK, &c->mask, NULL);
	errno = saved;
}

/* The folder slurmstepd brought us to, if it is one for jobs. */
static void find_folder(const struct vol_sandbox *s, char *where, size_t size)
{
	char path[PATH_MAX];

	where[0] = '\0';
	if (getcwd(path, sizeof(path)) && strlen(path) < size &&
	    vol_walls_hold(&s->walls.work, path))
		strcpy(where, path);
}

/* A pty's session is ours: let go of it, so that the task can take it.  The
 * signals that come of it are not meant for the task. */
static int give_terminal_up(const struct vol_sandbox *s, struct vol_error *err)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN}, old[2];

	if (!isatty(0) || tcgetsid(0) != getpid())
		return 0;
	/* So that the task can open it by its name. */
	if (fchown(0, vol_ids_outside(s, s->job.uid), (gid_t)-1) != 0)
		return vol_errorf(err, "terminal: %s", strerror(errno));
	ioctl(0, TIOCNOTTY);
	/* Ignoring throws pending ones away. */
	sigaction(SIGHUP, &ignore, &old[0]);
	sigaction(SIGCONT, &ignore, &old[1]);
	sigaction(SIGHUP, &old[0], NULL);
	sigaction(SIGCONT, &old[1], NULL);
	return 0;
}

/* Not our parent any more: slurmstepd died. */
static int look_for_stepd(const struct vol_sandbox *s, struct vol_error *err)
{
	if (getppid() != s->stepd)
		return vol_errorf_errno(err, ESRCH, "slurmstepd is gone");
	return 0;
}

int vol_attempt_watch(struct vol_attempt *a, struct vol_error *err)
{
	const struct vol_sandbox *s = a->entry.sandbox;

	a->entry.stepd = a->stepd = pidfd_open(s->stepd, 0);
	if (a->stepd < 0)
		return vol_errorf(err, "slurmstepd's pidfd: %s",
				  strerror(errno));
	return look_for_stepd(s, err);
}

static int open_channels(struct vol_attempt *a, struct vol_error *err)
{
	/* In this order: kernels tend to give up the descriptors of a process
	 * that ends from the last one on, see vol_inside_task(). */
	if (vol_report_open(a->started, err) != 0 ||
	    vol_report_open(a->report, err) != 0)
		return -1;
	if (pipe2(a->execed, O_CLOEXEC) != 0)
		return vol_errorf(err, "pipe: %s", strerror(errno));
	a->entry.outside = a->report[0];
	a->entry.report = a->report[1];
	a->entry.execed = a->execed[1];
	a->entry.started = a->started[0];
	a->entry.start = a->started[1];
	return 0;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void close_channels(struct vol_attempt *a)
{
	close_fd(&a->report[0]);
	close_fd(&a->report[1]);
	close_fd(&a->execed[0]);
	close_fd(&a->execed[1]);
	close_fd(&a->started[0]);
	close_fd(&a->started[1]);
}

/* A pid 1 for several tasks is slurmstepd's to wait for. */
void vol_attempt_end(struct vol_attempt *a)
{
	int saved = errno;
	siginfo_t end = {.si_pid = 0};

	if (a->child > 0) {
		/* Others did it: no wall failed. */
		if (waitid(P_PID, (id_t)a->child, &end,
			   WEXITED | WNOHANG | WNOWAIT) == 0 &&
		    end.si_pid && end.si_code == CLD_KILLED &&
		    end.si_status == SIGKILL)
			saved = VOL_JOBS_FAULT;
		kill(a->child, SIGKILL);
		while (waitpid(a->child, NULL, 0) < 0 && errno == EINTR)
			;
	}
	a->child = 0;
	vol_net_stop(&a->net);
	close_channels(a);
	close_fd(&a->pid1);
	close_fd(&a->task);
	close_fd(&a->record);
	errno = saved;
}

/* As fork(2), but for the namespaces.  A network namespace that is there is not
 * the process's own to rule, whatever it is in its user namespace; where there
 * is none the process makes one. */
static pid_t clone_into(struct vol_attempt *a, struct clone_args *args,
			struct vol_error *err)
{
	pid_t pid;

	a->entry.net_made = a->net.ns >= 0;
	if (vol_net_enter(&a->net, err) != 0)
		return -1;
	pid = (pid_t)syscall(SYS_clone3, args, sizeof(*args));
	if (pid == 0) {
		vol_net_close(&a->net);
		return 0;
	}
	if (pid < 0)
		vol_errorf(err, "new namespaces: %s", strerror(errno));
	else
		a->child = pid;
	/* We do not go on where we do not belong. */
	return vol_net_leave(&a->net, err) != 0 ? -1 : pid;
}

/* Returns 0 twice: in the task of a pid 1 that makes one (*inside), and here
 * when pid 1 waits for the maps. */
static int clone_first(struct vol_attempt *a, bool *inside,
		       struct vol_error *err)
{
	const struct vol_sandbox *s = a->entry.sandbox;
	struct clone_args args = {
		.flags = NAMESPACES | CLONE_PIDFD |
			 (s->ids ? CLONE_NEWUSER : 0) |
			 (a->entry.shared ? CLONE_PARENT : 0),
		.pidfd = (uint64_t)(uintptr_t)&a->pid1,
		/* slurmstepd must not take it for a task. */
		.exit_signal = a->entry.shared ? 0 : SIGCHLD,
	};
	pid_t pid = clone_into(a, &args, err);

	if (pid < 0)
		return -1;
	*inside = pid == 0;
	if (pid == 0)
		return vol_inside_first(&a->entry);
	/* Known from the first moment, so that it is waited for. */
	if (a->entry.shared)
		s->shared->pid1 = pid;
	return 0;
}

/* It may have been made before pid 1 had it; it waits for us to begin.  Killed
 * meanwhile, it has no number, or none that anybody has. */
static int limit_task(int task, struct vol_error *err)
{
	cleanup_free char *text = NULL;
	char path[64], *line;
	int pid;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", (int)getpid(), task);
	text = vol_file_read(path, FDINFO_MAX, NULL, err);
	if (!text)
		return -1;
	line = strstr(text, "\nPid:\t");
	pid = line ? atoi(line + strlen("\nPid:\t")) : 0;
	if (pid > 0 && vol_limits_oom(pid, err) == 0)
		return 0;
	if (pid > 0 && errno != ENOENT)
		return -1;
	return vol_errorf_errno(err, ESRCH, "the task was killed");
}

/* slurm-volunteer-init says that it is; the end of file says that it is not. */
static int wait_init(struct vol_attempt *a, struct vol_error *err)
{
	char byte;
	ssize_t n;

	close_fd(&a->execed[1]);
	do
		n = read(a->execed[0], &byte, 1);
	while (n < 0 && errno == EINTR);
	if (n == 1)
		return 0;
	if (n < 0)
		return vol_errorf(err, "pid 1: %s", strerror(errno));
	/* Its last words, or the end of all. */
	if (vol_report_wait(a->report[0], NULL, err) == 0)
		vol_errorf_errno(err, ECHILD, "pid 1 did not start");
	return -1;
}

static int start_first(struct vol_attempt *a, bool *inside,
		       struct vol_error *err)
{
	if (vol_net_start(a->entry.sandbox, &a->net, err) != 0 ||
	    clone_first(a, inside, err) != 0)
		return -1;
	if (*inside)
		return 0;
	close_fd(&a->report[1]);
	if (a->entry.sandbox->ids &&
	    vol_ids_map(a->entry.sandbox, a->child, err) != 0)
		return -1;
	if (vol_limits_oom(a->child, err) != 0)
		return -1;
	/* The task waits, too: not where pid 1 looks whether we are there, and
	 * pid 1 does not end before its own word. */
	if (!a->entry.shared && vol_report_go(a->started[1], err) != 0)
		return -1;
	if (vol_report_go(a->report[0], err) != 0)
		return -1;
	if (!a->entry.shared &&
	    (vol_report_wait(a->report[0], &a->task, err) != 0 ||
	     limit_task(a->task, err) != 0))
		return -1;
	if (wait_init(a, err) != 0)
		return -1;
	return vol_net_tie(&a->net, a->pid1, err);
}

/* The first task of a step makes pid 1, as a child of slurmstepd. */
static int make_shared(struct vol_attempt *a, struct vol_error *err)
{
	struct vol_shared *shared = a->entry.sandbox->shared;
	bool inside = false;

	if (shared->state == VOL_UNBUILT && shared->pid1)
		return vol_errorf_errno(err, VOL_JOBS_FAULT,
					"the first task was killed while it "
					"built the walls");
	if (shared->state == VOL_FAILED)
		return vol_errorf_errno(err, shared->errnum, "%s",
					shared->reason.text);
	if (shared->state == VOL_BUILT)
		return 0;
	if (open_channels(a, err) != 0 || start_first(a, &inside, err) != 0) {
		shared->errnum = errno ? errno : EIO;
		shared->reason = *err;
		shared->state = VOL_FAILED;
		vol_attempt_end(a);
		return -1;
	}
	shared->state = VOL_BUILT;
	a->child = 0;
	close_channels(a);
	close_fd(&a->pid1);
	return 0;
}

/* A lock of this process: one that dies gives it back. */
static int share_pid1(struct vol_attempt *a, struct vol_error *err)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = a->entry.sandbox->shared_fd, rc;

	while ((rc = fcntl(fd, F_SETLKW, &lock)) < 0 && errno == EINTR)
		;
	if (rc < 0)
		return vol_errorf(err, "lock of the step: %s", strerror(errno));
	rc = make_shared(a, err);
	lock.l_type = F_UNLCK;
	fcntl(fd, F_SETLK, &lock);
	return rc;
}

static void join_as_task(const struct vol_attempt *a)
{
	const struct vol_sandbox *s = a->entry.sandbox;
	int kinds = (NAMESPACES & ~CLONE_NEWPID) | CLONE_NEWNET |
		    (s->ids ? CLONE_NEWUSER : 0);
	struct vol_error err = {""};

	close(a->report[0]);
	close(a->started[1]);
	if (setns(a->pid1, kinds) != 0) {
		vol_errorf(&err, "cannot join the step's namespaces: %s",
			   strerror(errno));
		vol_inside_fail(a->entry.report, &err);
	}
	if (vol_privileges_root(&err) != 0)
		vol_inside_fail(a->entry.report, &err);
}

/* fork(2) into the pid namespace of the step. */
static pid_t fork_into(int pid1, struct vol_error *err)
{
	cleanup_fd int own = pidfd_open(getpid(), 0);
	pid_t pid = -1;

	if (own < 0 || setns(pid1, CLONE_NEWPID) != 0)
		return vol_errorf(err, "the step's pid namespace: %s",
				  strerror(errno));
	pid = fork();
	if (pid < 0)
		vol_errorf(err, "fork: %s", strerror(errno));
	if (pid > 0 && setns(own, CLONE_NEWPID) != 0)
		vol_errorf(err, "own pid namespace: %s", strerror(errno));
	return pid;
}

static int start_shared(struct vol_attempt *a, bool *inside,
			struct vol_error *err)
{
	if (share_pid1(a, err) != 0 || open_channels(a, err) != 0)
		return -1;
	a->pid1 = pidfd_open(a->entry.sandbox->shared->pid1, 0);
	if (a->pid1 < 0)
		return vol_errorf(err, "pid 1: %s", strerror(errno));
	a->child = fork_into(a->pid1, err);
	if (a->child < 0)
		return -1;
	*inside = a->child == 0;
	if (*inside) {
		join_as_task(a);
		return vol_inside_task(&a->entry);
	}
	close_fd(&a->report[1]);
	if (vol_limits_oom(a->child, err) != 0)
		return -1;
	return vol_report_wait(a->report[0], &a->task, err);
}

static int keep_open(int fd)
{
	return fd < 0 ? 0 : fcntl(fd, F_SETFD, 0);
}

/* The kernel closes started[1] when it is one, and the task begins: that takes
 * less time than what a program does before it could say so.  report[0] stays
 * open, so that the task can tell this from our end; ids_fd, for the lock; the
 * record, for whoever looks for it. */
int vol_attempt_supervise(struct vol_attempt *a, struct vol_error *err)
{
	const struct vol_sandbox *s = a->entry.sandbox;
	int fd[3] = {a->stepd, a->pid1, a->task};
	char number[4][16], *argv[7], *env[] = {NULL};

	if (close_range(3, ~0u, CLOSE_RANGE_CLOEXEC) != 0 ||
	    keep_open(s->ids_fd) != 0 || keep_open(a->report[0]) != 0 ||
	    keep_open(a->record) != 0)
		return vol_errorf(err, "descriptors: %s", strerror(errno));
	for (size_t i = 0; i < 3; i++) {
		snprintf(number[i], sizeof(number[i]), "%d", fd[i]);
		argv[2 + i] = number[i];
		if (keep_open(fd[i]) != 0)
			return vol_errorf(err, "descriptors: %s",
					  strerror(errno));
	}
	snprintf(number[3], sizeof(number[3]), "%d", (int)a->child);
	argv[0] = "slurm-volunteer-supervise";
	argv[1] = a->entry.shared ? "task" : s->job.batch ? "batch" : "init";
	argv[5] = number[3];
	argv[6] = NULL;
	if (prctl(PR_SET_SECUREBITS, 0) != 0)
		return vol_errorf(err, "securebits: %s", strerror(errno));
	/* A task that nobody waits for must not begin. */
	if (look_for_stepd(s, err) != 0)
		return -1;
	execveat(s->supervise_fd, "", argv, env, AT_EMPTY_PATH);
	return vol_errorf(err, "slurm-volunteer-supervise: %s",
			  strerror(errno));
}

static int enter(struct vol_attempt *a, struct vol_sandbox *s, bool *inside,
		 struct vol_error *err)
{
	if (vol_stdio_look(s, &a->entry.stdio, err) != 0 ||
	    vol_attempt_watch(a, err) != 0 || vol_limits_cgroup(s, err) != 0 ||
	    give_terminal_up(s, err) != 0)
		return -1;
	if (a->entry.shared)
		return start_shared(a, inside, err);
	if (vol_steps_listen(s, err) != 0 || open_channels(a, err) != 0)
		return -1;
	return start_first(a, inside, err);
}

static int keep_record(struct vol_attempt *a, struct vol_error *err)
{
	const struct vol_sandbox *s = a->entry.sandbox;

	a->record =
		vol_record_begin(s,
				 a->entry.shared ? s->shared->pid1 : a->child,
				 &a->entry.stdio, a->entry.where, err);
	return a->record < 0 ? -1 : 0;
}

/* The step's limits of memory and processes are the job's, and its other tasks
 * may have used them up, or have had pid 1 killed for want of memory: ESRCH, as
 * when slurmstepd is gone or scancel came in between. */
static int blame(int errnum)
{
	switch (errnum) {
	case VOL_JOBS_FAULT:
	case EAGAIN:
	case ENOMEM:
	case ESRCH:
		return EACCES;
	case EACCES:
		return EPERM;
	default:
		return errnum;
	}
}

int vol_sandbox_pass(struct vol_sandbox *s, int fd, struct vol_error *err)
{
	int flags = fcntl(fd, F_GETFD), domain = 0, listens = 1;
	socklen_t size = sizeof(domain), peer_size = sizeof(struct ucred);
	struct ucred peer = {.pid = 0};

	if (fd < 3 || flags < 0 || (flags & FD_CLOEXEC) ||
	    getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0 ||
	    domain != AF_UNIX ||
	    getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 ||
	    listens ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &peer_size) != 0 ||
	    peer.pid != s->stepd)
		return vol_errorf_errno(err, EINVAL,
					"descriptor %d is none for a task", fd);
	s->passed = fd;
	return 0;
}

int vol_sandbox_enter(struct vol_sandbox *s, uint32_t task, char *where,
		      size_t size, struct vol_error *err)
{
	struct vol_attempt a = VOL_ATTEMPT_NONE;
	struct vol_error reason = {""};
	bool inside = false;
	int rc;

	a.entry.sandbox = s;
	a.entry.shared = s->job.tasks > 1;
	find_folder(s, a.entry.where, sizeof(a.entry.where));
	if (task >= s->job.tasks || strlen(a.entry.where) >= size)
		return vol_errorf_errno(err, EINVAL,
					"no such task, or too long a folder");
	strcpy(where, a.entry.where);
	rc = vol_attempt_root(&a.caller, &reason);
	a.entry.mask = a.caller.mask;
	a.entry.umask = a.caller.umask;
	if (rc == 0)
		rc = enter(&a, s, &inside, &reason);
	if (inside)
		return 0;
	if (rc == 0)
		rc = keep_record(&a, &reason);
	if (rc == 0)
		rc = vol_steps_start(s, &reason);
	if (rc == 0)
		vol_attempt_supervise(&a, &reason);
	vol_attempt_end(&a);
	close_fd(&a.stepd);
	vol_attempt_caller(&a.caller);
	return vol_errorf_errno(err, blame(errno), "%s", reason.text);
}
