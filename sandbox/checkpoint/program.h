/* SPDX-License-Identifier: GPL-2.0-or-later */
/* program.h - the parts of slurm-volunteer-checkpoint (checkpoint.h) */
#ifndef VOL_CHECKPOINT_PROGRAM_H
#define VOL_CHECKPOINT_PROGRAM_H

#include "parts.h"

/* --- find.c ----------------------------------------------------------------
 */

/* The batch script that task is or holds (vol_record_find): a pidfd of its pid
 * 1.  EPERM: it is a step of srun's; ESRCH: it has ended. */
int vol_find_batch(const char *task, struct vol_record *record,
		   pid_t *supervisor, struct vol_error *err);

/* The cgroup (v2) of process pid: its folder; "" if it can not be frozen by
 * itself, as the one that we are in.  *frozen: it is.  -1 if one above it is.
 */
int vol_find_cgroup(pid_t pid, char *path, size_t size, bool *frozen,
		    struct vol_error *err);

/* Bytes of a status file of /proc, and more. */
#define VOL_STATUS_MAX 16384

/* A number, or "self", as in /proc.  0 and errno: it is gone. */
ino_t vol_process_namespace(const char *pid, const char *name);
/* It has ended, be it waited for or not. */
bool vol_process_is_zombie(const char *pid);

/* --- hold.c ----------------------------------------------------------------
 *
 * cgroup: of vol_find_cgroup(), and not "".
 */

int vol_cgroup_freeze(const char *path, bool freeze, struct vol_error *err);
/* Has it been asked to stop?  -1: no cgroup that can be. */
int vol_cgroup_is_to_freeze(const char *path);
/* Asked, and stopped. */
bool vol_cgroup_is_still(const char *path);

/* Freeze it, and wait until nothing of it runs.  It was asked to freeze after
 * -1, too. */
int vol_hold(const char *cgroup, struct vol_error *err);

/* Until CRIU has all of what is in pid1's namespace in its trap, has ended, or
 * so many seconds are over: what it does not get in its time it gets while that
 * runs.  Then thaw it, unless CRIU has ended. */
int vol_hold_until_traced(const char *cgroup, pid_t pid1, pid_t criu,
			  unsigned int seconds, struct vol_error *err);

/* Until CRIU, which has some of it in its trap for a moment, has ended, or so
 * many seconds are over: whoever freezes the cgroup meanwhile finds it frozen,
 * and CRIU gets out of it.  The seconds that are left, at least 1. */
unsigned int vol_hold_mind(const char *cgroup, pid_t pid1, pid_t criu,
			   unsigned int seconds);

/* A cgroup that was frozen is to be so when CRIU lets go of it: note that in
 * the dump's folder, from the machine's cgroup namespace. */
int vol_hold_note(const char *dir, const char *cgroup, struct vol_error *err);
/* In CRIU's hook: do what was noted, if anything was. */
int vol_hold_again(const char *dir, struct vol_error *err);

/* --- hurt.c ----------------------------------------------------------------
 */

struct vol_pids {
	size_t n;
	pid_t *pid;
};

/* Processes of pid 1's namespace that have not ended.  Clear them. */
int vol_pids_find(pid_t pid1, struct vol_pids *pids, struct vol_error *err);
/* Keeps errno. */
void vol_pids_clear(struct vol_pids *pids);

/* Is one of those that were there before gone (NULL: nobody knows those), or
 * has one still CRIU's program in its memory?  Who ended by itself meanwhile is
 * not told from who died of CRIU, nor who was let go, and has it still, from
 * who is in the middle. */
bool vol_hurt_by_criu(pid_t pid1, const struct vol_pids *before);

/* --- dump.c ----------------------------------------------------------------
 */

struct vol_dumping {
	const char *criu;
	unsigned int seconds;
	bool goes_on;
	bool streams; /* CRIU's images go to who listens in dir/images */
};

/* With what vol_dump_before has left in dir.  errno EPERM: the job's own doing.
 */
int vol_dump(const struct vol_dumping *how, const char *task, const char *dir,
	     struct vol_error *err);
/* Write memory down while the job runs, if that pays.  -1: nothing of it is
 * left. */
int vol_dump_before(const struct vol_dumping *how, const char *task,
		    const char *dir, struct vol_error *err);

/* A folder for a dump: that of the images in it is made, or must be there. */
int vol_dump_folder(const char *dir, const char *images, bool exists,
		    struct vol_error *err);

/* --- pre.c: memory that is written while the job runs ----------------------
 */

/* Does this kernel tell which pages were written since? */
bool vol_pre_tracks(void);
/* Is it worth it for the job in this cgroup, does the kernel tell, and is there
 * room in dir? */
bool vol_pre_pays(const char *cgroup, const char *dir);
/* What CRIU has left in dir: is it there?  Without shared memory; not at all.
 * They keep errno. */
bool vol_pre_is_there(const char *dir);
void vol_pre_forget_shared(const char *dir);
void vol_pre_remove(const char *dir);

/* --- merge.c ---------------------------------------------------------------
 */

/* Make one of the images in dir and what was written before, of which nothing
 * is left.  After -1 they are no image. */
int vol_merge(const char *dir, struct vol_error *err);

/* --- pack.c ----------------------------------------------------------------
 */

struct vol_packing {
	bool goes_on;
	int signal;        /* 0: it is told nothing */
	uint64_t grace_ms; /* 0: nor this */
};

/* The files that the job of the task has for itself, without its processes, to
 * dir.  The job has been stopped by its cgroup, and is when this returns.  The
 * same errors. */
int vol_pack(const struct vol_packing *how, const char *task, const char *dir,
	     struct vol_error *err);

/* --- grace.c ---------------------------------------------------------------
 */

struct vol_grace {
	const char *cgroup; /* which is frozen */
	const struct vol_record *record;
	pid_t supervisor;
	int signal;
	uint64_t ms;
};

/* Tell the processes of a stopped job that do something about the signal, and
 * have it run a little until they have ended or the time is over.  Its cgroup
 * was asked to freeze then, also after -1.  A job one of whose processes ends
 * of it is to be started again.  ECANCELED: SIGTERM has come meanwhile. */
int vol_grace(const struct vol_grace *grace, struct vol_error *err);

/* --- opened.c --------------------------------------------------------------
 */

struct vol_opened_file {
	dev_t dev;
	ino_t ino;
	int opened; /* enum vol_rollback_opened */
	char path[PATH_MAX];
};

struct vol_opened {
	size_t n;
	struct vol_opened_file *file; /* malloc'ed, each once */
};

/* Files on the machine's mounts that any process of the job has open for
 * writing, or mapped so, output left out.  Root, while none of them runs. */
int vol_opened_find(struct vol_opened *all, const struct vol_record *r,
		    struct vol_error *err);

/* --- take.c ----------------------------------------------------------------
 */

/* What the image counts on to be in the job's files is brought to their disk,
 * be it another machine's: kernel and NFS client keep it to themselves for a
 * while, and this machine may be gone by then.  The job may run. */
int vol_take_sync(struct vol_record *r, struct vol_error *err);

/* While nothing of the job runs: its entries, and the image's copies, in dir,
 * the folder of the dump.  -1 only if it goes on afterwards. */
int vol_take_files(struct vol_record *r, const char *dir,
		   struct vol_error *err);

/* --- hook.c: called by CRIU ------------------------------------------------
 */

/* After a dump, nothing runs: how long are the output files, and what are
 * others?  A reason to fail is also left in the file VOL_DUMP_REASON: CRIU does
 * not pass it on. */
int vol_hook_dumped(const char *dir, struct vol_error *err);

/* During a restore, when there are namespaces, and nothing in them.  what:
 * VOL_ENV_HOOK. */
int vol_hook_network(pid_t pid1, const char *what, struct vol_error *err);

/* After a restore, nothing has run: is all as for a fresh task?  If it is not,
 * none of it ever does.  what: VOL_ENV_HOOK. */
int vol_hook_restored(pid_t pid1, const char *what, struct vol_error *err);

/* --- serve.c ---------------------------------------------------------------
 */

typedef int (*vol_command_f)(int argc, char *argv[]);

/* Until the other end of the socket is closed, or slurmd is gone where it
 * listens; an exit status. */
int vol_serve(int socket, pid_t slurmd, vol_command_f command);

/* --- timers.c --------------------------------------------------------------
 */

/* Of a restored process that does not run yet. */
int vol_timers_wind_up(pid_t pid, struct vol_error *err);

#endif
