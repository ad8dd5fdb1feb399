/* SPDX-License-Identifier: GPL-2.0-or-later */
/* attempt.h - the outside of a task's beginning: what enter.c and
 * checkpoint/restore.c share
 */
#ifndef VOL_SANDBOX_ATTEMPT_H
#define VOL_SANDBOX_ATTEMPT_H

#include "private.h"

/* What the process that called had, and has again when nothing was started. */
struct vol_caller {
	uid_t ruid, euid, suid;
	gid_t rgid, egid, sgid;
	sigset_t mask;
	mode_t umask;
};

/* The outside of one entry. */
struct vol_attempt {
	struct vol_entry entry;
	struct vol_caller caller;
	int report[2], execed[2], started[2];
	int stepd;      /* pidfd of slurmstepd */
	int pid1, task; /* pidfds */
	int record;     /* see checkpoint.h */
	pid_t child;    /* of ours, to be ended on failure; 0: none */
	struct vol_net net;
};

#define VOL_ATTEMPT_NONE                                                     \
	{                                                                    \
		.report = {-1, -1}, .execed = {-1, -1}, .started = {-1, -1}, \
		.stepd = -1, .pid1 = -1, .task = -1, .record = -1,           \
		.net = {.channel = -1,                                       \
			.ns = -1,                                            \
			.host = -1 }                                         \
	}

/* Root again, all signals blocked; and back. */
int vol_attempt_root(struct vol_caller *c, struct vol_error *err);
void vol_attempt_caller(const struct vol_caller *c);

/* Open stepd. */
int vol_attempt_watch(struct vol_attempt *a, struct vol_error *err);

/* Become slurm-volunteer-supervise; returns on failure only. */
int vol_attempt_supervise(struct vol_attempt *a, struct vol_error *err);

/* End what was started, and wait until all of it is gone. */
void vol_attempt_end(struct vol_attempt *a);

#endif
