/* SPDX-License-Identifier: GPL-2.0-or-later */
/* thread.h - threads beside the daemon's loop */
#ifndef VOL_THREAD_H
#define VOL_THREAD_H

#include <pthread.h>
#include <stddef.h>

/* Start run(arg) with a stack of so many bytes (0: as large as is usual) and
 * all signals blocked, since they are the loop's.  0, or an errno value. */
int vol_thread_start(pthread_t *thread, size_t stack_bytes,
		     void *(*run)(void *arg), void *arg);

#endif
