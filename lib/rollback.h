/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rollback.h - a job's files, as they were when its image was made; pure
 *
 * A job runs on after a periodic image and writes on.  When its machine dies,
 * it goes on from that image, and its files must look as they did in the frozen
 * moment, or its lines come twice.  So the image has a list of them, and each
 * is judged before anything is changed: it is proven to be what it was, it can
 * be made that again, or the image must not be used.
 *
 * Proof is by content (the sum of its bytes, XXH64), or by the times that the
 * file system keeps: ctime changes with each write and can not be set back.
 *
 * What belongs to the job can not be seen: all jobs of a user write under the
 * same ids, often in one folder.  It is the user who says so
 * (--volunteer-files):
 *
 *	shared	others write in the folder, too, or it is not known.  Nothing
 *		is put back: whatever has changed there, or is new, is a reason
 *		not to use the image.
 *	opened	the job writes to nothing but its output and to files that it
 *		keeps open, and nobody else writes to these.
 *	own	nobody else writes in the folder that the job starts in.
 */
#ifndef VOL_ROLLBACK_H
#define VOL_ROLLBACK_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ckplaces.h"
#include "error.h"

/* Entries of a list, levels of folders below the first one.  A job that has
 * more gets no periodic image, and one that was made when it had to leave can
 * be used once, at once. */
#define VOL_ROLLBACK_MAX   4096
#define VOL_ROLLBACK_DEPTH 16
/* In bytes.  Copies of one file, and of all of an image: they are sent with
 * it. */
#define VOL_ROLLBACK_COPY_MAX   (UINT64_C(64) << 20)
#define VOL_ROLLBACK_COPIES_MAX (UINT64_C(256) << 20)
/* All that is read while the job is frozen: a second or two from memory. */
#define VOL_ROLLBACK_READ_MAX (UINT64_C(2) << 30)
/* What was changed so long before the job began is not of its making; clocks of
 * a file server and of devices may differ by so much. */
#define VOL_ROLLBACK_SKEW_S 60

enum vol_rollback_mode {
	VOL_ROLLBACK_SHARED,
	VOL_ROLLBACK_OPENED,
	VOL_ROLLBACK_OWN,
};

enum vol_rollback_how {
	VOL_ROLLBACK_STAT,   /* a file, of which only the times are known */
	VOL_ROLLBACK_SUM,    /* and the sum of its bytes */
	VOL_ROLLBACK_COPY,   /* and they are in the image */
	VOL_ROLLBACK_FOLDER, /* length, times and sum do not matter */
	VOL_ROLLBACK_LINK,   /* a symbolic one, of which the times are known */
	VOL_ROLLBACK_TARGET, /* one that the image has: its bytes are its target
			      */
	VOL_ROLLBACK_OTHER,  /* a pipe, a socket: nothing of it is on a disk */
};

/* In the frozen moment the job had it open for writing. */
enum vol_rollback_opened {
	VOL_ROLLBACK_CLOSED,
	VOL_ROLLBACK_APPEND, /* all of it with O_APPEND and write-only */
	VOL_ROLLBACK_WRITE,
};

struct vol_rollback_entry {
	int how;       /* enum vol_rollback_how */
	int opened;    /* enum vol_rollback_opened */
	uint32_t mode; /* permissions */
	uint64_t length;
	uint64_t mtime_ns, ctime_ns; /* since 1970 */
	uint64_t sum;                /* XXH64 */
	char path[VOL_CKPATH_SIZE];  /* as the job names it */
};

/* "shared", "opened", "own".  EINVAL. */
int vol_rollback_mode_parse(const char *text, int *mode, struct vol_error *err);
const char *vol_rollback_mode_name(int mode);

/* --- when the image is made ------------------------------------------------
 */

/* Is its content in the image? */
bool vol_rollback_has_copy(const struct vol_rollback_entry *entry);

/* Which files of a list are read and which are copied: how of each that is a
 * file or a link.  began_s: when the job first began, since 1970.  -1 with
 * EFBIG and "FILE: ..." when one that the job has open can not be. */
int vol_rollback_plan(struct vol_rollback_entry *entry, size_t n, int mode,
		      uint64_t began_s, struct vol_error *err);

/* --- when it is used -------------------------------------------------------
 */

enum vol_rollback_kind {
	VOL_ROLLBACK_IS_GONE,
	VOL_ROLLBACK_IS_FILE,
	VOL_ROLLBACK_IS_FOLDER,
	VOL_ROLLBACK_IS_LINK,
	VOL_ROLLBACK_IS_OTHER,
};

/* What is there now. */
struct vol_rollback_now {
	int kind; /* enum vol_rollback_kind */
	uint32_t mode;
	uint64_t length;
	uint64_t mtime_ns, ctime_ns;
	uint64_t sum; /* of the first entry->length bytes, or of the target */
};

enum vol_rollback_act {
	VOL_ROLLBACK_KEEP,
	VOL_ROLLBACK_CUT,  /* to its length; mode and mtime, too */
	VOL_ROLLBACK_PUT,  /* what is in the image in its place */
	VOL_ROLLBACK_MAKE, /* a folder */
};

/* Must sum be known to judge it? */
bool vol_rollback_reads(const struct vol_rollback_entry *entry,
			const struct vol_rollback_now *now, uint64_t moment_ns);

/* An enum vol_rollback_act.  -1 with ESTALE and "PATH: reason": the image does
 * not fit what is there. */
int vol_rollback_judge(const struct vol_rollback_entry *entry,
		       const struct vol_rollback_now *now, int mode,
		       uint64_t moment_ns, struct vol_error *err);

/* What an image does not know is put out of the way, not removed: into the
 * folder that the job starts in, since it may remove others, under a name that
 * no pattern of the shell's finds and that does not end as before,
 * ".NAME.volunteer-rolled-back.JOB", with ".N" for n > 0; a long NAME is
 * cut. */
void vol_rollback_aside(const char *name, uint32_t job, unsigned int n,
			char aside[NAME_MAX + 1]);
/* Such a name is in no list. */
bool vol_rollback_is_aside(const char *name);

#endif
