/* SPDX-License-Identifier: GPL-2.0-or-later */
/* freezer.h - the cgroups of the job steps that live here: stop, go, end
 *
 * Each step has a folder STEP/user with one folder task_N a task; slurmstepd
 * itself is in STEP/slurm and is never touched: a frozen slurmstepd takes the
 * node down.  We own cgroup.freeze of the task folders; Slurm writes the one
 * of user/ (suspend, and SIGCONT before it ends a job), so nothing that Slurm
 * does lets a parked task run.
 *
 * Steps are born frozen: the SPANK plugin writes user/cgroup.freeze before
 * there is a task.  vol_freezer_add takes over from there: it freezes or
 * leaves running the task folders as the latch says, and lifts the one of
 * user/ when the plugin says that the step is born.  Until then, and for good
 * where it never says so, user/ follows the latch, too.
 *
 * All functions may be called from any thread.  The latch is closed at first.
 * close, the hot path, only writes to descriptors that are open already.
 */
#ifndef VOL_FREEZER_H
#define VOL_FREEZER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "error.h"
#include "stepfile.h"

struct vol_freezer;

/* root: mount point of cgroup2, usually /sys/fs/cgroup. */
struct vol_freezer *vol_freezer_create(const char *root, struct vol_error *err);
/* Leaves all as it is. */
void vol_freezer_destroy(struct vol_freezer *f);

/* A step of slurmstepd step->stepd; cgroup: its folder below root, as
 * discoveryd sees it (slurmd may see another one).  Job 0: all that is known is
 * its slurmstepd.  hold: as vol_freezer_hold for its job, so that it does not
 * run before that could be called.  Known already: looked at again (new task
 * folders, or what its file tells by now); hold only matters while its job was
 * not known.  -1 when its files can not be opened; ENOENT when it
 * is over. */
int vol_freezer_add(struct vol_freezer *f, const struct vol_step *step,
		    bool hold, const char *cgroup, struct vol_error *err);
/* Its slurmstepd is gone: forget the step, and end what is left of it.  Tasks
 * outlive a slurmstepd that was killed, and nobody would stop them any more. */
void vol_freezer_remove(struct vol_freezer *f, pid_t stepd);

/* Readable when task folders have come or gone: then call dispatch.  Its -1
 * says that some could not be opened; the whole step follows the latch until
 * they can (call vol_freezer_add again). */
int vol_freezer_fd(const struct vol_freezer *f);
int vol_freezer_dispatch(struct vol_freezer *f, struct vol_error *err);

/* Freeze every task of every step, now and when it appears.  Returns when all
 * was asked for; vol_freezer_wait for the kernel's word.  Number of folders
 * written. */
unsigned vol_freezer_close(struct vol_freezer *f);
/* Thaw.  The caller must be the reflex (see vol_reflex_open). */
unsigned vol_freezer_open(struct vol_freezer *f);
bool vol_freezer_is_closed(const struct vol_freezer *f);

/* Keep the tasks of this job frozen even while open (not welcome, or being
 * moved away), or no longer.  Holds for the job's later steps, too, as long as
 * one of its steps is left; nothing happens when it has none. */
void vol_freezer_hold(struct vol_freezer *f, uint32_t job, bool hold);

bool vol_freezer_holds(struct vol_freezer *f, uint32_t job);

/* Leave the tasks of a step, which is stopped, to whoever saves them: CRIU
 * thaws its cgroup while it holds each process by itself, and one that were
 * frozen under its hands would never answer.  Nothing here writes to the task
 * folders of the step, or waits for them, until it is taken back.  ENOENT: no
 * such step; EBUSY: user/ is frozen, by Slurm or because the step is not born
 * yet, and CRIU would wait for it in vain. */
int vol_freezer_lend(struct vol_freezer *f, pid_t stepd, struct vol_error *err);
/* It stops or goes as before.  Nothing happens when it is not lent. */
void vol_freezer_take_back(struct vol_freezer *f, pid_t stepd);

/* Write once more what each step that is not lent has to do: a dump that was
 * called off ends late, and leaves the tasks as it found them. */
void vol_freezer_assert(struct vol_freezer *f);

/* Are all tasks reported frozen by the kernel?  Waits for at most timeout_ms.
 * True when there is none. */
bool vol_freezer_wait(struct vol_freezer *f, int timeout_ms);

/* SIGKILL to all tasks of a job (0 = of all jobs): cgroup.kill of user/.
 * Works on frozen ones. */
unsigned vol_freezer_kill(struct vol_freezer *f, uint32_t job);

/* Of a job that was sent on, and killed: has nothing of it run, and never will
 * (stepwaits.h)?  true once: from then on it can not begin any more. */
bool vol_freezer_unbegun(struct vol_freezer *f, uint32_t job);

/* Steps all of whose tasks (children of their slurmstepd) have been sent a
 * signal that is to end them while frozen (SIGTERM, SIGKILL, SIGXCPU pending),
 * or ignore it: Slurm ends a job that is parked.  They are killed; returns how
 * many.  Call about once a second while closed. */
unsigned vol_freezer_reap(struct vol_freezer *f);

/* A job of which Slurm has tried to thaw a step that has to stay frozen (it
 * writes user/cgroup.freeze before it ends a job, and on any SIGCONT) since
 * this was called last; 0 = none.  Tasks that ignore SIGTERM leave no other
 * trace.  New ones come with vol_freezer_dispatch. */
uint32_t vol_freezer_touched(struct vol_freezer *f);

/* Ask the kernel for the memory of frozen tasks (memory.reclaim), at most
 * chunk bytes; bytes that went.  -1 with ENOTSUP without the memory
 * controller, ENOSPC without swap. */
int64_t vol_freezer_reclaim(struct vol_freezer *f, uint64_t chunk,
			    struct vol_error *err);

/* Bytes of the step's that are in no file: what saving it has to write.  0 also
 * when that can not be told. */
uint64_t vol_freezer_memory(struct vol_freezer *f, pid_t stepd);

/* cpu.max of all steps as per cent of one CPU; 0 = no limit.  ENOTSUP without
 * the cpu controller. */
int vol_freezer_throttle(struct vol_freezer *f, uint32_t pct,
			 struct vol_error *err);

/* Is there a step without a process: not begun, or over but for slurmstepd,
 * which has yet to tell slurmctld so? */
bool vol_freezer_empty(struct vol_freezer *f);

/* Jobs that have a step here, each once; at most n, the number there is. */
size_t vol_freezer_jobs(const struct vol_freezer *f, uint32_t *jobs, size_t n);

/* [{"job":, "step":, "uid":, "stepd":, "frozen": bool, "memory": bytes or null,
 *   "tasks": n}]; job, step and uid are missing for a step without a file. */
json_t *vol_freezer_json(struct vol_freezer *f);

#endif
