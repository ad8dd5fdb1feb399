/* SPDX-License-Identifier: GPL-2.0-or-later */
/* thread.c - threads beside the daemon's loop */
#include "config.h"

#include "thread.h"

#include <signal.h>

int vol_thread_start(pthread_t *thread, size_t stack_bytes,
		     void *(*run)(void *arg), void *arg)
{
	pthread_attr_t attr;
	sigset_t all, saved;
	int rc;

	rc = pthread_attr_init(&attr);
	if (rc)
		return rc;
	if (stack_bytes)
		rc = pthread_attr_setstacksize(&attr, stack_bytes);
	if (rc == 0) {
		sigfillset(&all);
		pthread_sigmask(SIG_SETMASK, &all, &saved);
		rc = pthread_create(thread, &attr, run, arg);
		pthread_sigmask(SIG_SETMASK, &saved, NULL);
	}
	pthread_attr_destroy(&attr);
	return rc;
}
