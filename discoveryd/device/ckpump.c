/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckpump.c - a thread at the other end of a pipe */
#include "config.h"

#include "device/ckpump.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "thread.h"

/* What anybody may ask for: /proc/sys/fs/pipe-max-size. */
#define PIPE_BYTES (1024 * 1024)

static void *pump_run(void *arg)
{
	struct vol_ckpump *p = arg;

	if (p->run(p->theirs, p->arg, &p->err) < 0)
		p->errnum = errno ? errno : EIO;
	if (p->errnum && p->writes && p->halt >= 0)
		(void)eventfd_write(p->halt, 1);
	close(p->theirs);
	return NULL;
}

int vol_ckpump_start(struct vol_ckpump *p, struct vol_error *err)
{
	int fd[2], rc;

	p->errnum = 0;
	if (pipe2(fd, O_CLOEXEC) < 0)
		return vol_errorf(err, "pipe: %s", strerror(errno));
	/* Both sides then wait for each other less often; without it it goes,
	 * too. */
	(void)fcntl(fd[0], F_SETPIPE_SZ, PIPE_BYTES);
	p->theirs = fd[p->writes];
	p->ours = fd[!p->writes];
	rc = vol_thread_start(&p->thread, 0, pump_run, p);
	if (rc == 0)
		return p->ours;
	close(fd[0]);
	close(fd[1]);
	return vol_errorf_errno(err, rc, "thread: %s", strerror(rc));
}

int vol_ckpump_finish(struct vol_ckpump *p, struct vol_error *err)
{
	close(p->ours);
	pthread_join(p->thread, NULL);
	return p->errnum ? vol_errorf_errno(err, p->errnum, "%s", p->err.text)
			 : 0;
}
