/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckpump.h - a thread at the other end of a pipe
 *
 * An image is made while it is sent, and unpacked while it comes.  The end of a
 * pipe does not tell why it ended, so whoever writes into it fails by halt
 * before its end is closed.
 */
#ifndef VOL_CKPUMP_H
#define VOL_CKPUMP_H

#include <pthread.h>
#include <stdbool.h>

#include "error.h"

struct vol_ckpump {
	/* What the thread does with its end.  0, or -1 with errno. */
	int (*run)(int fd, void *arg, struct vol_error *err);
	void *arg;
	bool writes; /* it */
	int halt;    /* eventfd that is written to when a writer fails; -1 */
	/* --- of ckpump.c --- */
	pthread_t thread;
	int theirs, ours;
	int errnum; /* what it came to */
	struct vol_error err;
};

/* Start it: the other end, -1 on error. */
int vol_ckpump_start(struct vol_ckpump *pump, struct vol_error *err);
/* Close the other end and wait.  What the thread came to: 0, or -1 with errno
 * and err. */
int vol_ckpump_finish(struct vol_ckpump *pump, struct vol_error *err);

#endif
