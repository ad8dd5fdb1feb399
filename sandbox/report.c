/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report.c - from the processes inside to the one that called
 *
 * One packet says that something failed and why, or that the task is ready.
 * The end of the socket says that all who could have spoken are gone.
 */
#include "config.h"

#include "private.h"

#include <errno.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cleanup.h"

struct report {
	int errnum; /* 0: ready */
	struct vol_error reason;
};

union fd_message {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int))];
};

int vol_report_open(int fd[2], struct vol_error *err)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) != 0)
		return vol_errorf(err, "socket pair: %s", strerror(errno));
	return 0;
}

void vol_report_failed(int fd, const struct vol_error *err)
{
	struct report r = {.errnum = errno ? errno : EIO, .reason = *err};

	/* Nobody there: nobody to tell. */
	send(fd, &r, sizeof(r), MSG_NOSIGNAL);
}

int vol_report_hand(int fd, int handed, struct vol_error *err)
{
	struct report r = {.errnum = 0};
	struct iovec iov = {&r, sizeof(r)};
	union fd_message control;
	struct msghdr m = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = control.bytes,
			   .msg_controllen = sizeof(control.bytes)};
	struct cmsghdr *c;

	memset(&control, 0, sizeof(control));
	c = CMSG_FIRSTHDR(&m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &handed, sizeof(int));
	if (sendmsg(fd, &m, MSG_NOSIGNAL) != (ssize_t)sizeof(r))
		return vol_errorf(err, "report: %s", strerror(errno));
	return 0;
}

int vol_report_ready(int fd, struct vol_error *err)
{
	cleanup_fd int self = pidfd_open(getpid(), 0);

	if (self < 0)
		return vol_errorf(err, "pidfd: %s", strerror(errno));
	return vol_report_hand(fd, self, err);
}

static ssize_t receive(int fd, struct report *r, int *handed)
{
	struct iovec iov = {r, sizeof(*r)};
	union fd_message control;
	struct msghdr m = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = control.bytes,
			   .msg_controllen = sizeof(control.bytes)};
	struct cmsghdr *c;
	ssize_t n;

	do
		n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	c = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;
	if (c && c->cmsg_type == SCM_RIGHTS)
		memcpy(handed, CMSG_DATA(c), sizeof(int));
	return n;
}

int vol_report_wait(int fd, int *pidfd, struct vol_error *err)
{
	cleanup_fd int handed = -1;
	struct report r;
	ssize_t n = receive(fd, &r, &handed);

	if (n == 0)
		return vol_errorf_errno(err, VOL_JOBS_FAULT,
					"the processes inside were killed");
	if (n != (ssize_t)sizeof(r))
		return vol_errorf(err, "report: %s", strerror(errno));
	if (r.errnum)
		return vol_errorf_errno(err, r.errnum, "%s", r.reason.text);
	if (pidfd && handed < 0)
		return vol_errorf_errno(err, EMFILE,
					"report: no descriptor of the task");
	if (pidfd)
		*pidfd = steal_fd(&handed);
	return 0;
}

int vol_report_go(int fd, struct vol_error *err)
{
	if (send(fd, "", 1, MSG_NOSIGNAL) != 1)
		return vol_errorf_errno(err, VOL_JOBS_FAULT,
					"the processes inside were killed");
	return 0;
}

/* One place of the program, whoever calls: tests/sandbox/fault.c. */
static ssize_t __attribute__((noinline)) receive_byte(int fd)
{
	char byte;
	ssize_t n;

	do
		n = recv(fd, &byte, 1, 0);
	while (n < 0 && errno == EINTR);
	return n;
}

int vol_report_wait_go(int fd, struct vol_error *err)
{
	if (receive_byte(fd) != 1)
		return vol_errorf_errno(err, EPIPE, "nobody waits outside");
	return 0;
}

int vol_report_wait_end(int fd, struct vol_error *err)
{
	if (receive_byte(fd) != 0)
		return vol_errorf_errno(err, EPIPE, "no end but a word");
	return 0;
}
