/* SPDX-License-Identifier: GPL-2.0-or-later */
/* underling.h - a program that gets what the machine has to spare */
#ifndef VOL_UNDERLING_H
#define VOL_UNDERLING_H

#include <sys/types.h>

/* In a child, in place of execve: only calls that are safe after fork.  It
 * leads a process group, is of SCHED_IDLE and the idle class of the disk, and
 * has three descriptors and PATH, nothing else.  It is sent SIGTERM when its
 * parent ends; we: that one's pid, 0: it is not. */
void __attribute__((noreturn))
vol_underling_become(const char *const *argv, pid_t we, int in, int out,
		     int err);

#endif
