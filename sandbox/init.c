/* SPDX-License-Identifier: GPL-2.0-or-later */
/* init.c - slurm-volunteer-init, pid 1 of a job's namespaces (programs.h)
 *
 * Static, and does as little as a pid 1 can: a checkpoint has it as its root,
 * and it runs in whatever image an admin chose.  The kernel ends everything
 * else inside when it ends.
 */
#define _GNU_SOURCE

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "programs.h"

/* Only to interrupt ppoll(2). */
static void on_child(int signal_number)
{
	(void)signal_number;
}

static void leave(int status)
{
	char name[16];

	snprintf(name, sizeof(name), VOL_STATUS_NAME, status & 0xffff);
	prctl(PR_SET_NAME, name);
	_exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status)
				  : WEXITSTATUS(status));
}

/* The one task: reap all, end with it. */
static int follow(pid_t task)
{
	int status;
	pid_t pid;

	for (;;) {
		pid = waitpid(-1, &status, 0);
		if (pid == task)
			leave(status);
		if (pid < 0 && errno != EINTR)
			return 1; /* no child: it can not be */
	}
}

/* Tasks are others' children; orphans of theirs are ours. */
static int wait_for_stepd(void)
{
	struct pollfd stepd = {VOL_INIT_STEPD_FD, POLLIN, 0};
	struct sigaction act = {.sa_handler = on_child};
	sigset_t none;

	sigemptyset(&none);
	if (sigaction(SIGCHLD, &act, NULL) != 0)
		return 1;
	for (;;) {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		/* SIGCHLD is blocked but in here. */
		if (ppoll(&stepd, 1, NULL, &none) > 0)
			return 0;
	}
}

int main(int argc, char *argv[])
{
	pid_t task = argc > 1 ? (pid_t)strtol(argv[1], NULL, 10) : 0;
	sigset_t all;

	/* Nothing of the job's may trace us or look into our files: we have
	 * slurmstepd's pidfd.  With one task we have nothing that it has not,
	 * its seccomp filter as well, and a checkpoint can hold us. */
	if (getpid() != 1 || (!task && prctl(PR_SET_DUMPABLE, 0) != 0))
		return 1;
	/* Signals of the inside that have no handler do not reach a pid 1;
	 * blocked, those of the outside do not either. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	if (write(VOL_INIT_READY_FD, "", 1) != 1)
		return 1;
	close(VOL_INIT_READY_FD);
	return task ? follow(task) : wait_for_stepd();
}
