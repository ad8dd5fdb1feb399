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

/* The record before all is safe. */
#define VOL_RECORD_UNSAFE ".step"

/* What CRIU says. */
#define VOL_DUMP_LOG    "dump.log"
#define VOL_RESTORE_LOG "restore.log"

/* --- keep.c ------------------------------------------------------------- */

/* A sealed memfd with it; a descriptor, closed on exec. */
int vol_record_keep(const struct vol_record *record, struct vol_error *err);

/* The one in a file of a folder. */
int vol_record_read(const char *dir, const char *name,
		    struct vol_record *record, struct vol_error *err);

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
/* Those that a dump and a restore have in common: images and log. */
void vol_args_common(struct vol_args *args, const char *dir, const char *log);
void vol_args_free(struct vol_args *args);

/* Replace this process, with an environment of PATH and one more, or NULL;
 * returns on failure only. */
void vol_criu_exec(const char *criu, struct vol_args *args, const char *more);

/* Wait for a child.  0: it ended well.  ETIMEDOUT: it was killed after so many
 * seconds in which we ran; ECHILD: it ended with another status. */
int vol_criu_wait(pid_t pid, unsigned int seconds, struct vol_error *err);

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

/* Cut or check output files, at s->root. */
int vol_stage_outputs(const struct vol_sandbox *s, const struct vol_record *r,
		      bool roll_back, struct vol_error *err);

/* --- images.c ------------------------------------------------------------- */

/* Give the images the ids of this step, and to its root. */
int vol_images_adopt(const struct vol_sandbox *s, const char *dir,
		     struct vol_error *err);

#endif
