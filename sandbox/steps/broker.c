/* SPDX-License-Identifier: GPL-2.0-or-later */
/* broker.c - slurm-volunteer-steps: lets a sandboxed job start steps
 *
 * usage: slurm-volunteer-steps JOB UID GID PEER USER FOLDER CONF READ...
 *
 * A child of the task's supervisor, which writes the command line (attach.c);
 * it is nobody's else to run.  It has the descriptors of steps.h.  PEER is the
 * user that the kernel sees behind the job's processes, CONF is "" for the
 * configuration that srun finds by itself.
 */
#include "config.h"

#include "steps.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "text.h"

/* srun itself takes some MB each; the next ones wait in the socket's queue. */
#define SESSIONS_MAX 128

/* Where programs of Slurm are. */
static const char *const sruns[] = {"/usr/bin/srun", "/usr/local/bin/srun",
				    "/opt/slurm/bin/srun"};

struct broker {
	struct vol_cell cell;
	int signals;
	int alive[2]; /* [1] is ours alone */
	unsigned sessions;
};

enum {
	ARG_JOB = 1,
	ARG_UID,
	ARG_GID,
	ARG_PEER,
	ARG_USER,
	ARG_FOLDER,
	ARG_CONF,
	ARG_READ
};

static int number(const char *text, uint64_t max, uint32_t *to)
{
	uint64_t n;

	if (vol_text_number(text, strlen(text), 1, max, &n) < 0)
		return -1;
	*to = (uint32_t)n;
	return 0;
}

static int take_arguments(struct vol_cell *cell, int argc, char *argv[])
{
	uint32_t uid, gid, peer;

	/* -1 is nobody; 0 has no business here. */
	if (argc < ARG_READ || number(argv[ARG_JOB], UINT32_MAX, &cell->job) ||
	    number(argv[ARG_UID], UINT32_MAX - 1, &uid) ||
	    number(argv[ARG_GID], UINT32_MAX - 1, &gid) ||
	    number(argv[ARG_PEER], UINT32_MAX - 1, &peer))
		return -1;
	cell->uid = uid;
	cell->gid = gid;
	cell->peer = peer;
	cell->user = argv[ARG_USER];
	cell->folder = argv[ARG_FOLDER];
	cell->conf = argv[ARG_CONF][0] ? argv[ARG_CONF] : NULL;
	cell->read = argv + ARG_READ;
	return 0;
}

/* Opened here: the name is this machine's, and may be a link. */
static int find_srun(void)
{
	for (size_t i = 0; i < sizeof(sruns) / sizeof(sruns[0]); i++) {
		int fd = open(sruns[i], O_PATH | O_CLOEXEC);

		if (fd >= 0)
			return fd;
	}
	return -1;
}

static int open_signals(void)
{
	sigset_t set;

	/* What is meant for the job is not for us. */
	sigfillset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int prepare(struct broker *b)
{
	int flags = fcntl(VOL_STEPS_FD, F_GETFL);

	if (flags < 0 || fcntl(VOL_STEPS_FD, F_SETFL, flags | O_NONBLOCK) < 0 ||
	    fcntl(VOL_STEPS_FD, F_SETFD, FD_CLOEXEC) < 0 ||
	    fcntl(VOL_STEPS_SUPERVISOR_FD, F_SETFD, FD_CLOEXEC) < 0 ||
	    setsid() < 0)
		return -1;
	b->cell.srun = find_srun();
	b->signals = open_signals();
	if (b->signals < 0 || pipe2(b->alive, O_CLOEXEC) < 0)
		return -1;
	b->cell.alive = b->alive[0];
	return 0;
}

static void reap(struct broker *b)
{
	struct signalfd_siginfo info;

	while (read(b->signals, &info, sizeof(info)) > 0)
		;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		b->sessions--;
}

static pid_t fork_session(void)
{
	/* As fork(2), but for the namespaces; there are no threads. */
	return (pid_t)syscall(
		SYS_clone, SIGCHLD | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC,
		NULL, NULL, NULL, NULL);
}

static void serve(struct broker *b, int conn)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);
	pid_t pid;

	if (getsockopt(conn, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 ||
	    peer.uid != b->cell.peer) {
		vol_session_refuse(conn, "not the job's user");
		return;
	}
	if (b->cell.srun < 0) {
		vol_session_refuse(conn, "this device has no srun");
		return;
	}
	pid = fork_session();
	if (pid < 0) {
		vol_session_refuse(conn, "no process for another srun");
		return;
	}
	if (pid > 0) {
		b->sessions++;
		return;
	}
	close(b->alive[1]);
	close(b->signals);
	close(VOL_STEPS_FD);
	close(VOL_STEPS_SUPERVISOR_FD);
	vol_session_run(&b->cell, conn);
}

static void take_connection(struct broker *b)
{
	int conn = accept4(VOL_STEPS_FD, NULL, NULL, SOCK_CLOEXEC);

	if (conn < 0)
		return;
	serve(b, conn);
	close(conn);
}

int main(int argc, char *argv[])
{
	struct broker b = {0};

	if (take_arguments(&b.cell, argc, argv) < 0) {
		fprintf(stderr, "slurm-volunteer-steps is started by the "
				"sandbox of a job\n");
		return 2;
	}
	if (prepare(&b) < 0)
		return 1;
	for (;;) {
		bool full = b.sessions >= SESSIONS_MAX;
		struct pollfd p[] = {
			{.fd = b.signals, .events = POLLIN},
			{.fd = full ? -1 : VOL_STEPS_FD, .events = POLLIN},
			{.fd = VOL_STEPS_SUPERVISOR_FD, .events = POLLIN}};

		if (poll(p, 3, -1) < 0 && errno != EINTR)
			return 1;
		if (p[2].revents)
			return 0;
		if (p[0].revents)
			reap(&b);
		if (p[1].revents)
			take_connection(&b);
	}
}
