/* SPDX-License-Identifier: GPL-2.0-or-later */
/* request.c - what a job asks of srun: read, checked, put into place */
#include "config.h"

#include "steps.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "both.h"
#include "cleanup.h"
#include "srunline.h"
#include "stepenv.h"
#include "stepframe.h"

/* The client has all of it when it connects, so a second would do.  Twice in a
 * row: after a thaw both it and we run again, and the first one is over. */
#define SILENCE_MS 5000
#define SILENCES   2

static int wait_readable(int conn, struct vol_error *err)
{
	struct pollfd p = {.fd = conn, .events = POLLIN};

	for (int i = 0; i < SILENCES; i++) {
		int n = poll(&p, 1, SILENCE_MS);

		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return vol_errorf(err, "poll: %s", strerror(errno));
	}
	return vol_errorf_errno(err, ETIMEDOUT, "the request did not come");
}

static int read_all(int conn, char *buf, size_t size, struct vol_error *err)
{
	for (size_t done = 0; done < size;) {
		ssize_t n;

		if (wait_readable(conn, err) < 0)
			return -1;
		n = read(conn, buf + done, size - done);
		if (n == 0)
			return vol_errorf_errno(err, EPIPE,
						"the request is cut short");
		if (n < 0 && errno != EINTR)
			return vol_errorf(err, "read: %s", strerror(errno));
		done += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* The descriptors come with the first byte; of later ones the kernel lets go,
 * since nobody asks for them. */
static int read_first(int conn, char *byte, int fd[VOL_STEPFRAME_FDS],
		      struct vol_error *err)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(VOL_STEPFRAME_FDS * sizeof(int))];
	} control;
	struct iovec iov = {byte, 1};
	struct msghdr m = {.msg_iov = &iov,
			   .msg_iovlen = 1,
			   .msg_control = control.bytes,
			   .msg_controllen = sizeof(control.bytes)};
	struct cmsghdr *c;
	ssize_t n;

	if (wait_readable(conn, err) < 0)
		return -1;
	n = recvmsg(conn, &m, MSG_CMSG_CLOEXEC);
	if (n != 1)
		return vol_errorf_errno(err, EPIPE, "the request is empty");
	c = CMSG_FIRSTHDR(&m);
	/* What else was handed over ends with this process. */
	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS ||
	    c->cmsg_len != CMSG_LEN(VOL_STEPFRAME_FDS * sizeof(int)) ||
	    (m.msg_flags & MSG_CTRUNC))
		return vol_errorf_errno(err, EINVAL,
					"not input, output and error output");
	memcpy(fd, CMSG_DATA(c), VOL_STEPFRAME_FDS * sizeof(int));
	return 0;
}

static int understand(const struct vol_stepframe *frame, uint32_t job,
		      const char *conf, struct vol_request *request,
		      struct vol_error *err)
{
	cleanup_free char *export = NULL;
	struct vol_srunline line;
	bool all;

	if (vol_srunline_parse(frame->argv, job, &line, err) < 0)
		return -1;
	all = vol_stepenv_all(frame->env, line.export);
	request->env =
		vol_stepenv_pack(frame->env, line.export, job, conf, err);
	if (request->env && !all)
		export = vol_stepenv_export(request->env, err);
	if (request->env && (all || export))
		request->argv =
			vol_srunline_build(&line, job, frame->cwd, export, err);
	vol_srunline_release(&line);
	request->umask = frame->umask;
	memcpy(request->limits, frame->limits, sizeof(frame->limits));
	return request->argv ? 0 : -1;
}

int vol_request_read(int conn, uint32_t job, const char *conf,
		     struct vol_request *request, struct vol_error *err)
{
	char header[VOL_STEPFRAME_HEADER];
	struct vol_stepframe frame;
	int rc;

	if (read_first(conn, header, request->fd, err) < 0 ||
	    read_all(conn, header + 1, sizeof(header) - 1, err) < 0 ||
	    vol_stepframe_header(header, &frame, err) < 0)
		return -1;
	request->text = malloc((size_t)frame.text_bytes + 1);
	if (!request->text)
		return vol_errorf_errno(err, ENOMEM, "no memory");
	if (read_all(conn, request->text, frame.text_bytes, err) < 0 ||
	    vol_stepframe_text(request->text, &frame, err) < 0)
		return -1;
	rc = understand(&frame, job, conf, request, err);
	vol_stepframe_release(&frame);
	return rc;
}

/* srun hands its own limits to the step.  More than we have can not be given;
 * the step's tasks have their sandbox's limits anyway. */
static void limit(int resource, uint64_t soft)
{
	struct rlimit l;

	if (getrlimit(resource, &l) < 0)
		return;
	l.rlim_cur = soft < l.rlim_max ? (rlim_t)soft : l.rlim_max;
	(void)setrlimit(resource, &l);
}

int vol_request_enter(const struct vol_request *request)
{
	for (int i = 0; i < VOL_STEPFRAME_FDS; i++)
		if (dup2(request->fd[i], i) < 0)
			return -1;
	umask(request->umask);
	for (size_t i = 0; i < VOL_STEPFRAME_LIMITS; i++)
		limit(vol_steps_limits[i], request->limits[i]);
	return 0;
}
