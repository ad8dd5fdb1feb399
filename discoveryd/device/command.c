/* SPDX-License-Identifier: GPL-2.0-or-later */
/* command.c - run a program of the administrator's */
#include "config.h"

#include "device/command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"

#define ARGS_MAX 32
#define BLANKS   " \t"

struct vol_command {
	char *name;
	pid_t pid;
	int pidfd;
	sd_event_source *io, *timer;
	vol_command_f done;
	void *arg;
};

static void finish(struct vol_command *c, const char *why)
{
	c->io = sd_event_source_disable_unref(c->io);
	c->timer = sd_event_source_disable_unref(c->timer);
	c->done(why, c->arg);
}

static int on_end(sd_event_source *source, int fd, uint32_t events, void *arg)
{
	struct vol_command *c = arg;
	siginfo_t si = {0};
	char why[256];

	(void)source;
	(void)events;
	if (waitid(P_PIDFD, (id_t)fd, &si, WEXITED | WNOHANG) < 0)
		snprintf(why, sizeof(why), "%.100s: %s", c->name,
			 strerror(errno));
	else if (si.si_code == CLD_EXITED && si.si_status == 0)
		*why = '\0';
	else
		snprintf(why, sizeof(why), "%.200s ended with %s %d", c->name,
			 si.si_code == CLD_EXITED ? "status" : "signal",
			 si.si_status);
	finish(c, *why ? why : NULL);
	return 0;
}

/* Its end is waited for all the same: it must not stay a zombie. */
static int on_late(sd_event_source *source, uint64_t usec, void *arg)
{
	struct vol_command *c = arg;

	(void)source;
	(void)usec;
	(void)pidfd_send_signal(c->pidfd, SIGKILL, NULL, 0);
	return 0;
}

/* In the child; only calls that are safe after fork. */
static void become(char *const *argv, char *const *env)
{
	int null = open("/dev/null", O_RDWR);
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (null < 0 || dup2(null, 0) < 0 || dup2(2, 1) < 0 || chdir("/") < 0)
		_exit(127);
	close_range(3, ~0U, 0);
	execve(argv[0], argv, env);
	_exit(127);
}

static int launch(struct vol_command *c, const char *text,
		  struct vol_error *err)
{
	char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:"
		      "/sbin:/bin";
	cleanup_free char *words = strdup(text);
	char *argv[ARGS_MAX + 1], *env[] = {path, NULL}, *save = NULL, *word;
	size_t n = 0;

	for (word = words ? strtok_r(words, BLANKS, &save) : NULL;
	     word && n < ARGS_MAX; word = strtok_r(NULL, BLANKS, &save))
		argv[n++] = word;
	if (n == 0 || word || argv[0][0] != '/')
		return vol_errorf_errno(err, EINVAL,
					"'%.100s' is no program's path", text);
	argv[n] = NULL;
	c->name = strdup(argv[0]);
	if (!c->name)
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	c->pid = fork();
	if (c->pid < 0)
		return vol_errorf(err, "fork: %s", strerror(errno));
	if (c->pid == 0)
		become(argv, env);
	return 0;
}

struct vol_command *vol_command_start(sd_event *loop, const char *text,
				      vol_command_f done, void *arg,
				      struct vol_error *err)
{
	struct vol_command *c = calloc(1, sizeof(*c));
	int r;

	if (!c) {
		vol_errorf_errno(err, ENOMEM, "out of memory");
		return NULL;
	}
	c->pidfd = -1;
	c->done = done;
	c->arg = arg;
	if (launch(c, text, err) < 0)
		goto error;
	c->pidfd = pidfd_open(c->pid, 0);
	r = c->pidfd < 0 ? -errno
			 : sd_event_add_io(loop, &c->io, c->pidfd, EPOLLIN,
					   on_end, c);
	if (r >= 0)
		r = sd_event_add_time_relative(loop, &c->timer, CLOCK_MONOTONIC,
					       VOL_COMMAND_MS * 1000ULL, 0,
					       on_late, c);
	if (r >= 0)
		return c;
	vol_errorf_errno(err, -r, "%.100s: %s", c->name, strerror(-r));
error:
	vol_command_destroy(c);
	return NULL;
}

void vol_command_destroy(struct vol_command *c)
{
	int saved = errno;

	if (!c)
		return;
	sd_event_source_disable_unref(c->io);
	sd_event_source_disable_unref(c->timer);
	if (c->pidfd >= 0)
		close(c->pidfd);
	free(c->name);
	free(c);
	errno = saved;
}
