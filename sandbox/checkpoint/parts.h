/* SPDX-License-Identifier: GPL-2.0-or-later */
/* parts.h - what the parts of checkpoint and restore share */
#ifndef VOL_CHECKPOINT_PARTS_H
#define VOL_CHECKPOINT_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../checkpoint.h"
#include "../private.h"
#include "error.h"

/* Of a restore's CRIU, to the program that it calls (hook.c): what it is to
 * look at. */
#define VOL_ENV_HOOK "VOL_CHECKPOINT_HOOK" /* "UID GID DIR" */
/* vol_restore.waits, if there is one. */
#define VOL_ENV_WAITS "VOL_CHECKPOINT_WAITS"

/* The record before all is safe. */
#define VOL_RECORD_UNSAFE ".step"

/* Memory that was written before, beside the images; CRIU's folder, too. */
#define VOL_RECORD_PRE "pre"

/* What CRIU says. */
#define VOL_DUMP_LOG    "dump.log"
#define VOL_PRE_LOG     "pre.log"
#define VOL_DUMP_REASON ".reason"
/* What hold.c freezes again before CRIU lets go of it: "PID CGROUP", PID being
 * in the machine's cgroup namespace. */
#define VOL_DUMP_FREEZE ".freeze"
#define VOL_RESTORE_LOG "restore.log"

/* --- keep.c ------------------------------------------------------------- */

/* A sealed memfd with it; a descriptor, closed on exec. */
int vol_record_keep(const struct vol_record *record, struct vol_error *err);
/* CRIU has hold of its processes, has no more, or was killed and has hurt them
 * (../programs.h). */
enum vol_seized { VOL_NOT_SEIZED, VOL_SEIZED, VOL_HURT };
void vol_record_seize(pid_t supervisor, enum vol_seized how);

/* The program was told to save itself: a job that ends before until_ms
 * (CLOCK_BOOTTIME) is to be started again (../programs.h).  0: it no more. */
void vol_record_told(pid_t supervisor, uint64_t until_ms);

/* The one in a file of a folder. */
int vol_record_read(const char *dir, const char *name,
		    struct vol_record *record, struct vol_error *err);

/* Is it of the job that is to go on from it, and one that can?  EINVAL. */
int vol_record_check_job(const struct vol_record *record,
			 const struct vol_sandbox *sandbox,
			 struct vol_error *err);

/* Is that a file which slurmstepd opened for output? */
bool vol_record_has_output(const struct vol_record *r, const char *path);

/* Field 22 of its stat; 0: it is gone. */
uint64_t vol_process_start(pid_t pid);

/* --- criu.c: running it, and what it said --------------------------------- */

#define VOL_CRIU_ARGS_MAX (4 * VOL_RECORD_MOUNTS_MAX + 64)

/* Of a command line; zero it first. */
struct vol_args {
	size_t n;
	bool failed; /* no memory, or no room */
	char *v[VOL_CRIU_ARGS_MAX + 1];
};

void vol_args_add(struct vol_args *args, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Those that dumps and a restore have in common: images, in a folder of dir,
 * and log. */
void vol_args_common(struct vol_args *args, const char *dir, const char *images,
		     const char *log);
/* A network with nothing but a loopback is the job's own, so that its
 * connections can be put back by who has the rights in the job's namespaces
 * only; another one is made by the machine, for both to be in. */
void vol_args_network(struct vol_args *args, int network);
void vol_args_free(struct vol_args *args);

/* Replace this process, with an environment of PATH and one or two more, or
 * NULL; returns on failure only. */
void vol_criu_exec(const char *criu, struct vol_args *args, const char *more,
		   const char *another);

/* Wait for a child.  0: it ended well.  ETIMEDOUT: it was killed after so many
 * seconds in which we ran; EINTR: somebody killed it; ECHILD: it ended with
 * another status. */
int vol_criu_wait(pid_t pid, unsigned int seconds, struct vol_error *err);
/* The same of one that restores.  What that restores are our children, not its
 * own: it does not hear of it when one is killed, and would wait for ever. */
int vol_criu_wait_restored(pid_t pid, unsigned int seconds,
			   struct vol_error *err);
/* Kill what it has left to us, all of our children but one; keeps errno. */
void vol_criu_end_children(pid_t but);

/* What it says of memory that is not in the folder before. */
#define VOL_CRIU_NOT_BEFORE "memory was not written down before"

/* What a log says of the failure, as one line; EPERM if that is the job's own
 * doing, which no machine can change, EIO else. */
int vol_criu_reason(const char *log, struct vol_error *err);

/* Did hook.c refuse what CRIU restored?  That goes on as if it had not. */
int vol_criu_veto(const char *log, struct vol_error *err);

/* Its version, 40201 for 4.2.1. */
int vol_criu_version(const char *criu, unsigned int *version,
		     struct vol_error *err);

/* --- mounts.c: what a process sees mounted ---------------------------------
 */

struct vol_mount {
	char point[VOL_WALLS_PATH_SIZE];
	char type[32];
	char options[256];
};

/* For each mount of process pid; stops with -1 when f does. */
int vol_mounts_each(pid_t pid,
		    int (*f)(const struct vol_mount *m, void *arg,
			     struct vol_error *err),
		    void *arg, struct vol_error *err);

/* Made inside, and saved with the job: root, scratch, /dev, /proc. */
bool vol_mount_is_own(const struct vol_mount *m);
/* Is path in a mount of the machine's, and so not saved with the job? */
bool vol_mount_is_outside(const struct vol_record *r, const char *path);
/* Covers a file of /proc (proc.c): made again by the new machine. */
bool vol_mount_is_cover(const struct vol_mount *m);

/* --- stage.c: the new machine's mounts, for CRIU to take from ------------- */

/* A mount namespace of the process's own, from which nothing spreads. */
int vol_stage_begin(struct vol_error *err);
/* The same with a /tmp of its own: CRIU makes folders there, which slurmd's
 * view does not let it. */
int vol_stage_tmp(void);

/* In there, in the process of the task: all that is seen inside, but for what
 * is saved with the job, at s->root.  The places of s are as before. */
int vol_stage_build(struct vol_sandbox *s, const struct vol_record *r,
		    struct vol_error *err);
void vol_stage_remove(const struct vol_sandbox *s);

/* In CRIU's process to be, with mounts of its own: what the record names, each
 * by itself, and a whole /proc. */
#define VOL_STAGE      "/tmp"
#define VOL_STAGE_ROOT VOL_STAGE "/root" /* with nothing mounted on it */
#define VOL_STAGE_PART VOL_STAGE "/m%zu" /* a mount of the record */
#define VOL_STAGE_HOOK VOL_STAGE "/hook" /* the program */
int vol_stage_parts(const struct vol_sandbox *s, const struct vol_record *r,
		    struct vol_error *err);

/* Check output files, at s->root; cut them, if it is to be so. */
int vol_stage_outputs(const struct vol_sandbox *s, const struct vol_record *r,
		      bool roll_back, bool cut, struct vol_error *err);

/* --- rights.c: the job's, for a while --------------------------------------
 */

struct vol_rights {
	size_t n;
	gid_t *groups;
	uint32_t effective[2]; /* capabilities, when they were dropped */
	bool dropped;
};

/* In a process with one thread, root: files are now opened and changed as that
 * user, without groups and capabilities, and nothing else is done as before,
 * either. */
int vol_rights_take(struct vol_rights *r, uid_t uid, gid_t gid,
		    struct vol_error *err);
/* Root again; keeps errno. */
int vol_rights_back(struct vol_rights *r, struct vol_error *err);

/* A path of the job's, in the root folder root, without links; -1 and errno. */
int vol_open_in(int root, const char *path, int flags);

/* --- walk.c ----------------------------------------------------------------
 */

/* What is there; sum is 0.  name "": dir itself.  attributes of statx(2), may
 * be NULL.  -1 and errno. */
int vol_now_at(int dir, const char *name, struct vol_rollback_now *now,
	       uint64_t *attributes);

/* 1: nothing of what is in this folder. */
typedef int (*vol_walk_f)(const char *path, const struct vol_rollback_now *now,
			  void *arg, struct vol_error *err);

/* Of all that is below folder, a folder before what is in it, but for what was
 * put aside.  -1 with EFBIG: it has more levels than VOL_ROLLBACK_DEPTH, or
 * names that no record can hold, or other file systems. */
int vol_walk(int root, const char *folder, vol_walk_f f, void *arg,
	     struct vol_error *err);

/* The same of an open folder, which is called so; what is mounted in it is left
 * out. */
int vol_walk_own(int fd, const char *folder, vol_walk_f f, void *arg,
		 struct vol_error *err);

/* The target of a link, with its length; dir and name as above.  The sum of
 * it.  -1 and errno, EINVAL: it is none. */
int vol_target_at(int dir, const char *name, char target[PATH_MAX],
		  uint64_t *sum);

/* XXH64 of the next length bytes of fd, which also go to copy, -1: nowhere.  -1
 * and errno, ESTALE: there are not so many. */
int vol_sum_fd(int fd, uint64_t length, int copy, uint64_t *sum);

/* --- files.c: a restored job's files ---------------------------------------
 */

/* Zero it first. */
struct vol_files {
	const struct vol_sandbox *sandbox;
	const struct vol_record *record;
	const char *dir;    /* of the image */
	int root;           /* s->root */
	unsigned char *act; /* enum vol_rollback_act of each entry */
	/* Sorted entries, and what is there besides them. */
	const struct vol_rollback_entry **sorted;
	char (*added)[VOL_CKPATH_SIZE];
	size_t n_added;
};

/* Can all be made what it was?  Changes nothing.  ESTALE: it can not. */
int vol_files_judge(struct vol_files *f, struct vol_error *err);
/* Do so.  After a failure some were and some were not; nothing is lost, and it
 * may be done again. */
int vol_files_apply(struct vol_files *f, struct vol_error *err);
void vol_files_free(struct vol_files *f);

/* --- unpack.c --------------------------------------------------------------
 */

/* Of vol_sandbox_bring(). */
struct vol_brought {
	struct vol_record record;
	int copies;              /* descriptor, -1: none */
	struct vol_error failed; /* "": no */
};

/* In the task, the job's user, inside: what was brought is there, or failed
 * says why nothing of it is. */
void vol_unpack(struct vol_brought *brought);

/* --- images.c ------------------------------------------------------------- */

/* Give the images the ids of this step, and to its root. */
int vol_images_adopt(const struct vol_sandbox *s, const char *dir,
		     struct vol_error *err);

#endif
