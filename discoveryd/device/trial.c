/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trial.c - have something tried by a process of its own */
#include "config.h"

#include "device/trial.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cleanup.h"

struct vol_trial {
	void (*done)(enum vol_trial_result result, const char *text, void *arg);
	void *arg;
	pid_t pid; /* 0: reaped */
	int pidfd, out;
	sd_event_source *io, *timer;
};

/* What it printed; there is room in a pipe for more than is kept, so it never
 * had to wait for us. */
static void read_text(const struct vol_trial *t, char text[VOL_TRIAL_TEXT_SIZE])
{
	ssize_t n = read(t->out, text, VOL_TRIAL_TEXT_SIZE - 1);

	text[n > 0 ? n : 0] = '\0';
}

static int on_exit_of_it(sd_event_source *source, int fd, uint32_t events,
			 void *arg)
{
	struct vol_trial *t = arg;
	char text[VOL_TRIAL_TEXT_SIZE];
	int status = 0;

	(void)source;
	(void)fd;
	(void)events;
	if (waitpid(t->pid, &status, WNOHANG) != t->pid)
		return 0;
	t->pid = 0;
	sd_event_source_set_enabled(t->io, SD_EVENT_OFF);
	sd_event_source_set_enabled(t->timer, SD_EVENT_OFF);
	read_text(t, text);
	if (WIFEXITED(status) && WEXITSTATUS(status) <= VOL_TRIAL_BROKEN &&
	    (*text || WEXITSTATUS(status) == VOL_TRIAL_ALL)) {
		t->done((enum vol_trial_result)WEXITSTATUS(status), text,
			t->arg);
		return 0;
	}
	snprintf(text, sizeof(text), "the trial ended with %s %d",
		 WIFSIGNALED(status) ? "signal" : "status",
		 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	t->done(VOL_TRIAL_BROKEN, text, t->arg);
	return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *arg)
{
	struct vol_trial *t = arg;

	(void)source;
	(void)usec;
	sd_event_source_set_enabled(t->io, SD_EVENT_OFF);
	t->done(VOL_TRIAL_BROKEN, "the trial takes too long", t->arg);
	return 0;
}

static int spawn(struct vol_trial *t, const char *program, const char *argument,
		 int out)
{
	char *argv[] = {(char *)program, (char *)argument, NULL};
	char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
	char *env[] = {path, NULL};
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, pipe_only;
	int rc;

	sigemptyset(&none);
	sigemptyset(&pipe_only);
	sigaddset(&pipe_only, SIGPIPE);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&files, out, 1);
	posix_spawnattr_init(&attr);
	/* A group of its own, which can be ended as a whole. */
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP |
						POSIX_SPAWN_SETSIGMASK |
						POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &pipe_only);
	rc = posix_spawn(&t->pid, program, &files, &attr, argv, env);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	if (rc) {
		t->pid = 0;
		errno = rc;
	}
	return rc ? -1 : 0;
}

static int watch(struct vol_trial *t, sd_event *loop, unsigned int seconds)
{
	int r;

	t->pidfd = pidfd_open(t->pid, 0);
	if (t->pidfd < 0)
		return -1;
	r = sd_event_add_io(loop, &t->io, t->pidfd, EPOLLIN, on_exit_of_it, t);
	if (r >= 0)
		r = sd_event_add_time_relative(loop, &t->timer, CLOCK_MONOTONIC,
					       seconds * 1000000ULL, 0,
					       on_timer, t);
	if (r < 0)
		errno = -r;
	return r < 0 ? -1 : 0;
}

struct vol_trial *vol_trial_start(sd_event *loop, const char *program,
				  const char *argument, unsigned int seconds,
				  void (*done)(enum vol_trial_result result,
					       const char *text, void *arg),
				  void *arg, struct vol_error *err)
{
	struct vol_trial *t = calloc(1, sizeof(*t));
	cleanup_fd int out = -1;
	int ends[2];

	if (!t) {
		vol_errorf_errno(err, ENOMEM, "out of memory");
		return NULL;
	}
	t->done = done;
	t->arg = arg;
	t->pidfd = t->out = -1;
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) {
		vol_errorf(err, "pipe: %s", strerror(errno));
		goto error;
	}
	t->out = ends[0];
	out = ends[1];
	if (spawn(t, program, argument, out) < 0 ||
	    watch(t, loop, seconds) < 0) {
		vol_errorf(err, "can not run %s: %s", program, strerror(errno));
		goto error;
	}
	return t;
error:
	vol_trial_end(t);
	return NULL;
}

void vol_trial_end(struct vol_trial *t)
{
	int saved = errno;

	if (!t)
		return;
	sd_event_source_disable_unref(t->io);
	sd_event_source_disable_unref(t->timer);
	if (t->pid > 0) {
		/* No longer than the kernel needs. */
		kill(-t->pid, SIGKILL);
		(void)waitpid(t->pid, NULL, 0);
	}
	if (t->pidfd >= 0)
		close(t->pidfd);
	if (t->out >= 0)
		close(t->out);
	free(t);
	errno = saved;
}
