/* SPDX-License-Identifier: GPL-2.0-or-later */
/* session.c - one call of srun, from the request to its status
 *
 * The first process of the cell's pid namespace: with it ends all that srun has
 * left behind.
 */
#include "config.h"

#include "steps.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../private.h"
#include "stepframe.h"

/* What srun knows how to pass on to a step. */
static const int passed[] = {SIGINT,  SIGQUIT, SIGTERM, SIGHUP,
			     SIGUSR1, SIGUSR2, SIGCONT, SIGWINCH};

/* Somebody who is gone wants no step; srun gets so long to end it. */
#define GONE_MS 5000
/* srun killed: its child tells slurmctld that the step is over. */
#define LINGER_MS 10000

struct session {
	int conn, signals, alive;
	pid_t srun;
	bool gone; /* the client */
};

void vol_session_refuse(int conn, const char *reason)
{
	char message[VOL_STEPANSWER_MAX];
	size_t len = strnlen(reason, sizeof(message) - 1);

	message[0] = VOL_STEPANSWER_ERROR;
	memcpy(message + 1, reason, len);
	/* Nobody there: nobody to tell. */
	(void)send(conn, message, len + 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void answer_status(int conn, int status)
{
	char message[1 + sizeof(uint32_t)];
	uint32_t number = (uint32_t)status;

	message[0] = VOL_STEPANSWER_STATUS;
	memcpy(message + 1, &number, sizeof(number));
	(void)send(conn, message, sizeof(message), MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* --- srun ---------------------------------------------------------------- */

static void become_srun(const struct vol_cell *cell,
			const struct vol_request *request)
{
	sigset_t none;

	sigemptyset(&none);
	if (vol_request_enter(request) < 0 || setsid() < 0 ||
	    sigprocmask(SIG_SETMASK, &none, NULL) < 0)
		_exit(127);
	syscall(SYS_execveat, cell->srun, "", request->argv, request->env,
		AT_EMPTY_PATH);
	_exit(127);
}

static int start_srun(const struct vol_cell *cell, struct session *s,
		      struct vol_request *request, struct vol_error *err)
{
	s->srun = fork();
	if (s->srun < 0)
		return vol_errorf(err, "fork: %s", strerror(errno));
	if (s->srun == 0)
		become_srun(cell, request);
	/* Who reads from a pipe must see its end when srun ends. */
	for (int i = 0; i < VOL_STEPFRAME_FDS; i++)
		close(request->fd[i]);
	return 0;
}

/* --- waiting ------------------------------------------------------------- */

/* Reaps; true: srun is over, and *status is its. */
static bool reap(struct session *s, int *status)
{
	struct signalfd_siginfo info;
	bool over = false;
	pid_t pid;
	int st;

	while (read(s->signals, &info, sizeof(info)) > 0)
		;
	while ((pid = waitpid(-1, &st, WNOHANG)) > 0) {
		if (pid != s->srun)
			continue;
		*status = st;
		over = true;
	}
	return over;
}

static void pass_signals(struct session *s)
{
	unsigned char byte[64];
	ssize_t n = recv(s->conn, byte, sizeof(byte), MSG_DONTWAIT);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		s->gone = true;
		kill(s->srun, SIGTERM);
	}
	for (ssize_t i = 0; i < n; i++)
		for (size_t k = 0; k < sizeof(passed) / sizeof(passed[0]); k++)
			if (passed[k] == byte[i])
				kill(s->srun, passed[k]);
}

/* Until srun is over; its status. */
static int wait_srun(struct session *s)
{
	int status = 0;

	for (;;) {
		struct pollfd p[] = {{.fd = s->signals, .events = POLLIN},
				     {.fd = s->alive, .events = POLLIN},
				     {.fd = s->gone ? -1 : s->conn,
				      .events = POLLIN}};
		int n = poll(p, 3, s->gone ? GONE_MS : -1);

		if (n == 0 && s->gone)
			kill(s->srun, SIGKILL);
		if (n > 0 && p[0].revents && reap(s, &status))
			return status;
		if (n > 0 && p[1].revents)
			_exit(0);
		if (n > 0 && p[2].revents)
			pass_signals(s);
	}
}

/* Children of srun that it has left to us. */
static void linger(struct session *s)
{
	int status;

	for (;;) {
		struct pollfd p[] = {{.fd = s->signals, .events = POLLIN},
				     {.fd = s->alive, .events = POLLIN}};

		(void)reap(s, &status);
		/* WNOWAIT: only whether there is one. */
		if (waitid(P_ALL, 0, &(siginfo_t){0},
			   WEXITED | WNOHANG | WNOWAIT) < 0)
			return;
		if (poll(p, 2, LINGER_MS) <= 0 || p[1].revents)
			return;
	}
}

/* --- the way down -------------------------------------------------------- */

static int open_signals(void)
{
	sigset_t set;

	sigfillset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* slurmstepd may run no program as the job's user, see ../limits.c. */
static int allow_processes(struct vol_error *err)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NPROC, &l) < 0)
		return vol_errorf(err, "limit of processes: %s",
				  strerror(errno));
	l.rlim_cur = l.rlim_max;
	if (setrlimit(RLIMIT_NPROC, &l) < 0)
		return vol_errorf(err, "limit of processes: %s",
				  strerror(errno));
	return 0;
}

/* All that root does for a session; nothing of the job's was read yet. */
static int enter_cell(const struct vol_cell *cell, struct vol_error *err)
{
	if (vol_cell_build(cell, err) != 0 || allow_processes(err) != 0 ||
	    vol_privileges_drop(cell->uid, cell->gid, err) != 0 ||
	    vol_filter_apply(err) != 0)
		return -1;
	return vol_cell_forbid_exec(cell->srun, err);
}

void vol_session_run(const struct vol_cell *cell, int conn)
{
	struct session s = {.conn = conn, .alive = cell->alive};
	struct vol_request request = {.fd = {-1, -1, -1}};
	struct vol_error err = {""};
	int status;

	s.signals = open_signals();
	if (s.signals < 0 || enter_cell(cell, &err) < 0) {
		vol_error_prefix(&err, "the device can not run srun");
		vol_session_refuse(conn, err.text);
		_exit(1);
	}
	if (vol_request_read(conn, cell->job, cell->conf, &request, &err) < 0 ||
	    start_srun(cell, &s, &request, &err) < 0) {
		vol_session_refuse(conn, err.text);
		_exit(1);
	}
	status = wait_srun(&s);
	answer_status(conn, status);
	shutdown(conn, SHUT_RDWR);
	linger(&s);
	_exit(0);
}
