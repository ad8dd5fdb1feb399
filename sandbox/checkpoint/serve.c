/* SPDX-License-Identifier: GPL-2.0-or-later */
/* serve.c - do what is asked on a socket, in the domain that slurmd is in */
#include "config.h"

#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"

#define WORDS_MAX 16
/* Between two that were killed. */
#define AGAIN_MS 1000

/* Words, each with a NUL. */
static int split(char *text, size_t len, char *argv[WORDS_MAX + 2])
{
	int n = 1;

	argv[0] = (char *)"slurm-volunteer-checkpoint";
	if (len == 0 || text[len - 1] != '\0')
		return -1;
	for (char *at = text; at < text + len; at += strlen(at) + 1) {
		if (n > WORDS_MAX)
			return -1;
		argv[n++] = at;
	}
	argv[n] = NULL;
	return n;
}

static void __attribute__((noreturn))
run(vol_command_f command, int argc, char *argv[], int out, pid_t parent)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), rc;

	if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != parent ||
	    null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 ||
	    dup2(out, 2) < 0)
		_exit(VOL_CHECKPOINT_EXIT_FAILED);
	optind = 1;
	rc = command(argc, argv);
	fflush(stdout);
	_exit(rc);
}

/* Its end, or that of who asked: then nobody wants it any more. */
static int wait_for(pid_t pid, int socket)
{
	cleanup_fd int fd = pidfd_open(pid, 0);
	struct pollfd fds[2] = {{fd, POLLIN, 0}, {socket, POLLRDHUP, 0}};
	int status = 0;

	while (fd >= 0 && poll(fds, 2, -1) < 0 && errno == EINTR)
		;
	/* It ends CRIU, and leaves the job as it was. */
	if (fd < 0 || !fds[0].revents)
		kill(pid, SIGTERM);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status)
				 : VOL_CHECKPOINT_EXIT_FAILED;
}

static int answer(int socket, int status, int from)
{
	char text[VOL_SERVE_ANSWER_MAX];
	ssize_t n;

	text[0] = (char)status;
	/* A line or two, which are in the pipe. */
	n = read(from, text + 1, sizeof(text) - 1);
	return send(socket, text, (size_t)(n > 0 ? n : 0) + 1, MSG_NOSIGNAL) < 0
		       ? -1
		       : 0;
}

static int serve_one(vol_command_f command, int socket, int argc, char *argv[])
{
	pid_t parent = getpid(), pid;
	int fd[2], status, rc;

	if (pipe2(fd, O_CLOEXEC | O_NONBLOCK) != 0)
		return -1;
	pid = fork();
	if (pid == 0)
		run(command, argc, argv, fd[1], parent);
	status = pid < 0 ? VOL_CHECKPOINT_EXIT_FAILED : wait_for(pid, socket);
	rc = answer(socket, status, fd[0]);
	close(fd[0]);
	close(fd[1]);
	return rc;
}

static int serve(int socket, vol_command_f command)
{
	char text[VOL_SERVE_QUESTION_MAX];
	char *argv[WORDS_MAX + 2];
	ssize_t n;

	while ((n = recv(socket, text, sizeof(text), MSG_TRUNC)) > 0) {
		int argc = (size_t)n > sizeof(text)
				   ? -1
				   : split(text, (size_t)n, argv);

		if (argc < 0 || serve_one(command, socket, argc, argv) != 0)
			return VOL_CHECKPOINT_EXIT_FAILED;
	}
	return n < 0 ? VOL_CHECKPOINT_EXIT_FAILED : 0;
}

enum call { ASKED, SLURMD_ENDED, PARTNER_ENDED };

/* partner: -1 is one that is gone. */
static enum call wait_for_call(int socket, int slurmd, int partner)
{
	struct pollfd fds[3] = {
		{socket, POLLIN, 0}, {slurmd, POLLIN, 0}, {partner, POLLIN, 0}};

	while (poll(fds, 3, -1) < 0)
		if (errno != EINTR)
			return SLURMD_ENDED;
	if (fds[1].revents)
		return SLURMD_ENDED;
	return partner < 0 || fds[2].revents ? PARTNER_ENDED : ASKED;
}

/* One after the other: there is one disk.  As long as both live. */
static enum call serve_calls(int socket, int slurmd, pid_t partner,
			     vol_command_f command)
{
	cleanup_fd int partner_fd = pidfd_open(partner, 0);
	enum call call = PARTNER_ENDED;

	if (getppid() != partner)
		return call;
	while ((call = wait_for_call(socket, slurmd, partner_fd)) == ASKED) {
		int fd = accept4(socket, NULL, NULL, SOCK_CLOEXEC);

		if (fd >= 0) {
			serve(fd, command);
			close(fd);
		} else if (errno != EINTR && errno != ECONNABORTED) {
			_exit(VOL_CHECKPOINT_EXIT_FAILED);
		}
	}
	return call;
}

/* For as long as slurmd lives there are two: a child that serves, and its
 * parent that makes another one when it is killed.  A child whose parent is
 * killed takes its place.  Nobody else could: who saves jobs must come from
 * slurmd. */
static int serve_all(int socket, pid_t pid_of_slurmd, vol_command_f command)
{
	cleanup_fd int slurmd = pidfd_open(pid_of_slurmd, 0);
	struct pollfd end = {slurmd, POLLIN, 0};

	if (slurmd < 0)
		return VOL_CHECKPOINT_EXIT_FAILED;
	do {
		pid_t we = getpid(), pid = fork();

		if (pid == 0 &&
		    serve_calls(socket, slurmd, we, command) == SLURMD_ENDED)
			_exit(0);
		while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
	} while (poll(&end, 1, AGAIN_MS) == 0);
	return 0;
}

int vol_serve(int socket, pid_t slurmd, vol_command_f command)
{
	socklen_t size = sizeof(int);
	int listens = 0;

	if (getsockopt(socket, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) ==
		    0 &&
	    listens)
		return serve_all(socket, slurmd, command);
	return serve(socket, command);
}
