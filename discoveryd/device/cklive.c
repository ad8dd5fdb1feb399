/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cklive.c - dump a job, and hand its memory on while it is dumped */
#include "config.h"

#include "device/cklive.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "cleanup.h"
#include "thread.h"

struct dumping {
	const struct vol_ckdump *dump;
	int ended; /* eventfd */
	int errnum;
	struct vol_error err;
};

static void *run(void *arg)
{
	struct dumping *d = arg;

	if (vol_ckdump(d->dump, &d->err) < 0)
		d->errnum = errno ? errno : EIO;
	(void)eventfd_write(d->ended, 1);
	return NULL;
}

int vol_cklive(const struct vol_ckdump *dump, struct vol_ckcapture *capture,
	       struct vol_error *err)
{
	cleanup_fd int ended = eventfd(0, EFD_CLOEXEC);
	struct dumping d = {.dump = dump, .ended = ended};
	pthread_t thread;
	int rc, errnum;

	capture->ended = ended;
	rc = ended < 0 ? errno : vol_thread_start(&thread, 0, run, &d);
	if (rc != 0) {
		close(capture->listener);
		return vol_errorf_errno(err, rc, "thread: %s", strerror(rc));
	}
	rc = vol_ckcapture(capture, err);
	errnum = errno;
	/* Of what is not taken CRIU knows only that it can not write it. */
	pthread_join(thread, NULL);
	if (rc < 0 && d.errnum != EPERM) {
		errno = errnum == EPERM ? EIO : errnum;
		return -1;
	}
	/* Of a pipe is only what is not taken any more. */
	if (d.errnum == EPIPE)
		d.errnum = EIO;
	return d.errnum ? vol_errorf_errno(err, d.errnum, "%s", d.err.text) : 0;
}
