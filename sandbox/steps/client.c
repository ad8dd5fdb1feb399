/* SPDX-License-Identifier: GPL-2.0-or-later */
/* client.c - slurm-volunteer-srun: stands for srun inside a sandbox
 *
 * Static, since the system inside may be an image of another distribution.
 * See steps.h.
 */
#include "config.h"

#include "client.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "both.h"
#include "stepframe.h"
#include "steps.h"

extern char **environ;

/* Those that srun takes; SIGTSTP stops us and leaves the step alone, as with
 * srun. */
static const int forwarded[] = {SIGINT,  SIGQUIT, SIGTERM, SIGHUP,
				SIGUSR1, SIGUSR2, SIGCONT, SIGWINCH};

static int fail(const char *text)
{
	fprintf(stderr, "srun: error: %s\n", text);
	return 1;
}

/* --- asking -------------------------------------------------------------- */

static int call(struct vol_error *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX,
				      .sun_path = VOL_STEPS_INSIDE};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 &&
	    connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	if (errno == ENOENT || errno == ECONNREFUSED)
		return vol_errorf(err, "on a volunteer device only a batch "
				       "script can start steps");
	return vol_errorf(err, VOL_STEPS_INSIDE ": %s", strerror(errno));
}

static int describe(int argc, char *argv[], char *cwd, size_t size,
		    struct vol_stepframe *frame, struct vol_error *err)
{
	mode_t mask = umask(0);

	umask(mask);
	if (!getcwd(cwd, size))
		return vol_errorf(err, "working folder: %s", strerror(errno));
	*frame = (struct vol_stepframe){.argc = (uint32_t)argc,
					.umask = mask & 0777,
					.cwd = cwd,
					.argv = argv,
					.env = environ};
	while (environ[frame->n_env])
		frame->n_env++;
	for (size_t i = 0; i < VOL_STEPFRAME_LIMITS; i++) {
		struct rlimit l = {RLIM_INFINITY, RLIM_INFINITY};

		(void)getrlimit((__rlimit_resource_t)vol_steps_limits[i], &l);
		frame->limits[i] = l.rlim_cur;
	}
	return 0;
}

/* The session may have answered and gone before it has read all. */
static void send_all(int fd, const char *buf, size_t size)
{
	static const int stdio[VOL_STEPFRAME_FDS] = {0, 1, 2};
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(stdio))];
	} control = {{0}};
	struct iovec iov = {(void *)buf, 1};
	struct msghdr m = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = control.bytes,
			   .msg_controllen = sizeof(control.bytes)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	size_t done = 1;

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(stdio));
	memcpy(CMSG_DATA(c), stdio, sizeof(stdio));
	if (sendmsg(fd, &m, MSG_NOSIGNAL) != 1)
		return;
	while (done < size) {
		ssize_t n = send(fd, buf + done, size - done, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			return;
		done += n > 0 ? (size_t)n : 0;
	}
}

/* --- waiting ------------------------------------------------------------- */

static int take_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(forwarded) / sizeof(forwarded[0]); i++)
		sigaddset(&set, forwarded[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void forward(int signals, int fd)
{
	struct signalfd_siginfo info;

	while (read(signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		char byte = (char)info.ssi_signo;

		(void)send(fd, &byte, 1, MSG_NOSIGNAL);
	}
}

/* The answer, to the end of the connection; its length. */
static size_t wait_answer(int fd, int signals, char *buf, size_t size)
{
	size_t len = 0;

	while (len < size) {
		struct pollfd p[] = {{.fd = fd, .events = POLLIN},
				     {.fd = signals, .events = POLLIN}};
		ssize_t n;

		if (poll(p, 2, -1) < 0)
			continue;
		if (p[1].revents)
			forward(signals, fd);
		if (!p[0].revents)
			continue;
		n = read(fd, buf + len, size - len);
		if (n == 0 || (n < 0 && errno != EINTR))
			break;
		len += n > 0 ? (size_t)n : 0;
	}
	return len;
}

/* As srun did: by a signal, if it was ended by one. */
static int end_as(int status)
{
	sigset_t all;

	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	if (!WIFSIGNALED(status))
		return 1;
	prctl(PR_SET_DUMPABLE, 0);
	signal(WTERMSIG(status), SIG_DFL);
	sigfillset(&all);
	sigprocmask(SIG_UNBLOCK, &all, NULL);
	raise(WTERMSIG(status));
	return 128 + WTERMSIG(status);
}

static int obey(char *answer, size_t len)
{
	uint32_t status;

	if (len == 1 + sizeof(status) && answer[0] == VOL_STEPANSWER_STATUS) {
		memcpy(&status, answer + 1, sizeof(status));
		return end_as((int)status);
	}
	if (len > 1 && answer[0] == VOL_STEPANSWER_ERROR) {
		answer[len] = '\0';
		return fail(answer + 1);
	}
	return fail("the srun outside of the sandbox is gone");
}

static int srun(int argc, char *argv[])
{
	char cwd[4096], answer[VOL_STEPANSWER_MAX + 1], *buf;
	struct vol_stepframe frame;
	struct vol_error err = {""};
	int fd, signals;
	size_t size;

	if (vol_client_files(argv, environ, &err) < 0 ||
	    describe(argc, argv, cwd, sizeof(cwd), &frame, &err) < 0)
		return fail(err.text);
	buf = vol_stepframe_encode(&frame, &size, &err);
	if (!buf)
		return fail(err.text);
	fd = call(&err);
	if (fd < 0)
		return fail(err.text);
	signals = take_signals();
	if (signals < 0)
		return fail(strerror(errno));
	send_all(fd, buf, size);
	free(buf);
	return obey(answer,
		    wait_answer(fd, signals, answer, VOL_STEPANSWER_MAX));
}

int main(int argc, char *argv[])
{
	const char *name = argc > 0 ? argv[0] : "srun";
	const char *slash = strrchr(name, '/');

	name = slash ? slash + 1 : name;
	if (!strcmp(name, "srun") || !strcmp(name, "slurm-volunteer-srun"))
		return srun(argc, argv);
	fprintf(stderr,
		"%s: error: not available in a job on a volunteer "
		"device, only srun is\n",
		name);
	return 1;
}
