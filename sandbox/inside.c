/* SPDX-License-Identifier: GPL-2.0-or-later */
/* inside.c - the processes that build the inside and live there
 *
 * Every way out of here is a report or the end of the process: nothing inside
 * goes on with less than all walls.
 */
#include "config.h"

#include "private.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "checkpoint/parts.h"
#include "programs.h"

/* Nobody reads it: who waits outside reads reports. */
#define EXIT_FAILED 126

void vol_inside_fail(int report, const struct vol_error *err)
{
	vol_report_failed(report, err);
	_exit(EXIT_FAILED);
}

int vol_raise_loopback(struct vol_error *err)
{
	struct ifreq r = {.ifr_name = "lo"};
	cleanup_fd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 && errno == EAFNOSUPPORT)
		return 0; /* a machine without IP */
	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &r) != 0)
		return vol_errorf(err, "loopback: %s", strerror(errno));
	r.ifr_flags |= IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &r) != 0)
		return vol_errorf(err, "loopback: %s", strerror(errno));
	return 0;
}

int vol_net_namespace(struct vol_error *err)
{
	/* Not by way of /proc/self: see view_proc.c. */
	cleanup_fd int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int ns = fd < 0 ? -1 : ioctl(fd, SIOCGSKNS);

	if (ns < 0)
		return vol_errorf(err, "network namespace: %s",
				  strerror(errno));
	return ns;
}

/* A network namespace with nothing but a loopback. */
static int make_net(struct vol_error *err)
{
	if (unshare(CLONE_NEWNET) != 0)
		return vol_errorf(err, "new network namespace: %s",
				  strerror(errno));
	return vol_raise_loopback(err);
}

static int close_on_exec(int from, struct vol_error *err)
{
	if (close_range((unsigned int)from, ~0u, CLOSE_RANGE_CLOEXEC) != 0)
		return vol_errorf(err, "close on exec: %s", strerror(errno));
	return 0;
}

/* One place of the program, whoever calls: tests/sandbox/fault.c. */
static int __attribute__((noinline))
look_outside(const struct vol_entry *e, struct vol_error *err)
{
	char byte;

	if (recv(e->report, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 ||
	    errno != EAGAIN)
		return vol_errorf_errno(err, EPIPE, "nobody waits outside");
	return 0;
}

/* End with our parent, also when it ended before we asked for that. */
static int end_with_parent(const struct vol_entry *e, struct vol_error *err)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		return vol_errorf(err, "parent's death: %s", strerror(errno));
	return look_outside(e, err);
}

/* What slurm-volunteer-init gets: a pipe to say that it is there, and where
 * tasks come and go, slurmstepd.  It keeps neither for a single task, so that
 * nothing ties that to this machine. */
static int hand_over(struct vol_entry *e, struct vol_error *err)
{
	int *fd[] = {&e->report, &e->execed, &e->stepd};

	for (size_t i = 0; i < sizeof(fd) / sizeof(fd[0]); i++) {
		*fd[i] = fcntl(*fd[i], F_DUPFD_CLOEXEC, 10);
		if (*fd[i] < 0)
			return vol_errorf(err, "descriptors: %s",
					  strerror(errno));
	}
	if (close_range(0, 2, 0) != 0 ||
	    dup2(e->execed, VOL_INIT_READY_FD) < 0 ||
	    (e->shared && dup2(e->stepd, VOL_INIT_STEPD_FD) < 0))
		return vol_errorf(err, "descriptors: %s", strerror(errno));
	return close_on_exec(
		e->shared ? VOL_INIT_STEPD_FD + 1 : VOL_INIT_READY_FD + 1, err);
}

/* Its mount, which may not be in its place yet. */
static int init_fd(const struct vol_sandbox *s)
{
	for (size_t i = 0; i < s->places; i++)
		if (strcmp(s->place[i].target, VOL_INIT_INSIDE) == 0)
			return s->place[i].fd;
	return -1;
}

static int become_init(struct vol_entry *e, pid_t task, struct vol_error *err)
{
	const struct vol_sandbox_job *job = &e->sandbox->job;
	char number[16], *argv[3] = {"slurm-volunteer-init", NULL, NULL};
	char *env[] = {NULL};

	snprintf(number, sizeof(number), "%d", (int)task);
	argv[1] = task ? number : NULL;
	setsid();
	if (hand_over(e, err) != 0 ||
	    vol_privileges_drop(job->uid, job->gid, err) != 0)
		return -1;
	/* The task can trace it: checkpoints can not hold one that it could
	 * not. */
	if (!e->shared &&
	    (end_with_parent(e, err) != 0 || vol_filter_apply(err) != 0))
		return -1;
	execveat(init_fd(e->sandbox), "", argv, env, AT_EMPTY_PATH);
	return vol_errorf(err, "slurm-volunteer-init: %s", strerror(errno));
}

/* srun --pty: slurmstepd's child gave the terminal up before it started us. */
static int take_terminal(struct vol_error *err)
{
	if (setsid() < 0)
		return vol_errorf(err, "new session: %s", strerror(errno));
	if (isatty(0) && ioctl(0, TIOCSCTTY, 0) != 0)
		return vol_errorf(err, "controlling terminal: %s",
				  strerror(errno));
	return 0;
}

/* One of slurmstepd's, for the task. */
static int pass(int fd, struct vol_error *err)
{
	if (fd >= 0 && fcntl(fd, F_SETFD, 0) != 0)
		return vol_errorf(err, "descriptor %d: %s", fd,
				  strerror(errno));
	return 0;
}

static int settle(const struct vol_entry *e, struct vol_error *err)
{
	const struct vol_sandbox *s = e->sandbox;

	if (take_terminal(err) != 0 || close_on_exec(3, err) != 0 ||
	    pass(s->passed, err) != 0 || vol_limits_task(s, err) != 0 ||
	    vol_privileges_drop(s->job.uid, s->job.gid, err) != 0)
		return -1;
	/* The modes of these are their own. */
	umask(0);
	if (s->brought)
		vol_unpack(s->brought);
	umask(e->umask);
	/* slurmstepd got there with capabilities. */
	if (chdir(e->where[0] ? e->where : "/tmp") != 0)
		return vol_errorf_errno(err, VOL_JOBS_FAULT,
					"working folder %s: %s", e->where,
					strerror(errno));
	if (vol_stdio_reopen(&e->stdio, err) != 0)
		return -1;
	/* Until the program begins this is slurmstepd's memory. */
	if (prctl(PR_SET_DUMPABLE, 0) != 0)
		return vol_errorf(err, "dumpable: %s", strerror(errno));
	if (e->shared && end_with_parent(e, err) != 0)
		return -1;
	return vol_filter_apply(err);
}

int vol_inside_task(const struct vol_entry *e)
{
	struct vol_error err = {""};

	if (settle(e, &err) != 0 || vol_report_ready(e->report, &err) != 0)
		vol_inside_fail(e->report, &err);
	/* The process outside is slurm-volunteer-supervise, or it ended.  The
	 * other end of e->report tells which; in the very moment of that end
	 * it may not, and then this one ends a moment later, too. */
	if (vol_report_wait_end(e->started, &err) != 0 ||
	    look_outside(e, &err) != 0)
		_exit(EXIT_FAILED);
	close(e->report);
	close(e->started);
	sigprocmask(SIG_SETMASK, &e->mask, NULL);
	return 0;
}

/* Until the maps of ids are written: word of that comes through fd, which is
 * e->report to pid 1 and e->started to a task. */
static void wait_maps(int fd)
{
	struct vol_error err;

	if (vol_report_wait_go(fd, &err) != 0)
		_exit(EXIT_FAILED);
}

static int begin(const struct vol_entry *e, int word, struct vol_error *err)
{
	wait_maps(word);
	umask(022);
	/* slurmstepd's limit of processes would let nobody but root fork. */
	if (vol_privileges_root(err) != 0 ||
	    vol_limits_task(e->sandbox, err) != 0)
		return -1;
	/* Of all processes here, pivot_root(2) moves those that are there. */
	if (chdir("/") != 0)
		return vol_errorf(err, "/: %s", strerror(errno));
	return 0;
}

static int hand_net(const struct vol_entry *e, struct vol_error *err)
{
	cleanup_fd int ns = -1;

	if (make_net(err) != 0)
		return -1;
	ns = vol_net_namespace(err);
	return ns < 0 ? -1 : vol_report_hand(e->net[1], ns, err);
}

static int take_net(const struct vol_entry *e, struct vol_error *err)
{
	cleanup_fd int ns = -1;

	if (vol_report_wait(e->net[0], &ns, err) != 0)
		return -1;
	if (setns(ns, CLONE_NEWNET) != 0)
		return vol_errorf(err, "own network namespace: %s",
				  strerror(errno));
	return 0;
}

/* What has to be there for a task, by one process. */
static int build_alone(const struct vol_entry *e, struct vol_error *err)
{
	if (!e->net_made && make_net(err) != 0)
		return -1;
	return vol_root_build(e->sandbox, err);
}

static void build_as_task(const struct vol_entry *e)
{
	struct vol_error err = {""};

	close(e->execed);
	if (!e->net_made)
		close(e->net[1]);
	if (begin(e, e->started, &err) != 0 ||
	    vol_root_build(e->sandbox, &err) != 0 ||
	    (!e->net_made && take_net(e, &err) != 0))
		vol_inside_fail(e->report, &err);
	if (!e->net_made)
		close(e->net[0]);
}

/* While the maps are being written: it is the machine's root that forks, whom
 * no limit of processes holds. */
static pid_t fork_task(struct vol_entry *e, struct vol_error *err)
{
	pid_t task;

	if (!e->net_made && vol_report_open(e->net, err) != 0)
		return -1;
	task = fork();
	if (task < 0)
		return vol_errorf(err, "fork: %s", strerror(errno));
	return task;
}

/* The task builds the root while pid 1 makes the network namespace and becomes
 * slurm-volunteer-init: either takes a millisecond or more. */
static int begin_beside_task(struct vol_entry *e, struct vol_error *err)
{
	if (begin(e, e->report, err) != 0)
		return -1;
	if (e->net_made)
		return 0;
	close(e->net[0]);
	return hand_net(e, err);
}

/* What was wrong is heard by nobody before. */
static void __attribute__((noreturn))
fail_after_maps(const struct vol_entry *e, const struct vol_error *err)
{
	int saved = errno;

	wait_maps(e->report);
	errno = saved;
	vol_inside_fail(e->report, err);
}

int vol_inside_first(struct vol_entry *e)
{
	struct vol_error err = {""};
	pid_t task = 0;
	int rc;

	close(e->outside);
	close(e->start);
	if (!e->shared) {
		task = fork_task(e, &err);
		if (task < 0)
			fail_after_maps(e, &err);
		if (task == 0) {
			build_as_task(e);
			return vol_inside_task(e);
		}
		rc = begin_beside_task(e, &err);
	} else {
		rc = begin(e, e->report, &err) != 0 ? -1 : build_alone(e, &err);
	}
	if (rc != 0 || become_init(e, task, &err) != 0)
		vol_inside_fail(e->report, &err);
	return -1;
}
