/* SPDX-License-Identifier: GPL-2.0-or-later */
/* underling.c - a program that gets what the machine has to spare */
#include "config.h"

#include "device/underling.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ioprio.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The daemon may be nicer treated than one of its helpers should be. */
static void be_idle(void)
{
	static const struct sched_param none = {0};
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd >= 0) {
		(void)!write(fd, "0", 1);
		close(fd);
	}
	(void)setpriority(PRIO_PROCESS, 0, 19);
	(void)sched_setscheduler(0, SCHED_IDLE, &none);
	(void)syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0,
		      IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0));
}

void vol_underling_become(const char *const *argv, pid_t we, int in, int out,
			  int err)
{
	char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	char *env[] = {path, NULL};
	sigset_t none;

	setpgid(0, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0 ||
	    chdir("/") < 0)
		_exit(127);
	close_range(3, ~0U, 0);
	be_idle();
	if (we && (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != we))
		_exit(127);
	execve(argv[0], (char *const *)argv, env);
	dprintf(2, "%s: %s\n", argv[0], strerror(errno));
	_exit(127);
}
