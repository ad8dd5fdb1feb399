/* SPDX-License-Identifier: GPL-2.0-or-later */
/* freezer_private.h - the parts of freezer.h among themselves
 *
 * Two locks, both handing on priority, slow taken before fast.  The list of
 * steps, their descriptors and who holds what change under both, so that
 * either is enough to read them.  The hot path takes only fast, for the time
 * of its writes; who waits for the kernel or reads /proc takes only slow.
 */
#ifndef VOL_FREEZER_PRIVATE_H
#define VOL_FREEZER_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "device/freezer.h"

/* STEP/user/task_*: one that Slurm made for a task, or task_special. */
struct vol_task_folder {
	struct vol_task_folder *next;
	ino_t ino; /* a folder of the same name may come again */
	bool seen;
	int freeze, events; /* cgroup.freeze, cgroup.events */
	char name[32];
};

struct vol_frozen_step {
	struct vol_frozen_step *next;
	struct vol_step info;
	int dir, user;      /* STEP and STEP/user */
	int freeze, events; /* of user/ */
	int kill;           /* user/cgroup.kill, -1 before Linux 5.14 */
	int watch;          /* inotify's number for user/ */
	int watch_freeze;   /* and for user/cgroup.freeze */
	bool touched;       /* see vol_freezer_touched */
	bool birth;         /* tasks may still move to other folders */
	bool blind;         /* some could not be opened */
	bool ours;          /* user/ was frozen by us or the SPANK plugin */
	bool hold;
	bool lent; /* see vol_freezer_lend */
	struct vol_task_folder *folders;
};

struct vol_freezer {
	pthread_mutex_t slow, fast;
	atomic_bool closed;
	int root, inotify;
	uint32_t cpu_pct; /* 0 = no limit */
	struct vol_frozen_step *steps;
};

/* ---- freezer_step.c: the files of one step ---- */

/* Nothing is written yet. */
struct vol_frozen_step *vol_frozen_step_open(const struct vol_freezer *f,
					     const char *cgroup,
					     struct vol_error *err);
void vol_frozen_step_close(struct vol_frozen_step *s, int inotify);

/* More is known of it: its birth begins anew, unless it was over before. */
void vol_frozen_step_inform(struct vol_frozen_step *s,
			    const struct vol_step *info);

/* Find new task folders, make everything stop or go, and end the birth when
 * its time has come. */
int vol_frozen_step_look(struct vol_frozen_step *s, bool stop,
			 struct vol_error *err);

/* The hot path: only writes.  Number of folders written. */
unsigned vol_frozen_step_set(struct vol_frozen_step *s, bool stop);

/* A descriptor whose POLLPRI announces news of what still runs, or -1 when the
 * kernel says that all is frozen. */
int vol_frozen_step_running(const struct vol_frozen_step *s);

/* Does user/ say that it runs? */
bool vol_frozen_step_thawed(const struct vol_frozen_step *s);

/* Open a file of user/ or, where that has none, of STEP; -1 with errno. */
int vol_frozen_step_file(const struct vol_frozen_step *s, const char *name,
			 int flags);

/* ---- freezer_end.c ---- */

void vol_frozen_step_kill(const struct vol_frozen_step *s);

/* ---- freezer_memory.c ---- */

/* As vol_freezer_throttle, for one step. */
int vol_frozen_step_throttle(const struct vol_frozen_step *s, uint32_t pct);

#endif
