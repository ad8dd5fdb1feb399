/* SPDX-License-Identifier: GPL-2.0-or-later */
/* runtime.h - images that are the system of jobs, and their names; pure
 *
 * An image file is named by its content, 64 hex digits of its SHA-256, and by
 * what it is:
 *	/srv/3a7bd3e2...c5f1.erofs
 *	/srv/3a7bd3e2...c5f1.squashfs
 * So device.conf says which bytes jobs have as their system, and machines whose
 * files say the same have the same, whatever their distribution.  It is seen,
 * mounted, as the folder
 *	VOL_RUNTIME_DIR/3a7bd3e2...c5f1
 * and by no other way comes a folder of such a name there (discoveryd/
 * runtime.c).
 */
#ifndef VOL_RUNTIME_H
#define VOL_RUNTIME_H

#include "error.h"

#define VOL_RUNTIME_DIR VOL_RUN_DIR "/runtime"

/* 64 digits, NUL; as VOL_CKRUNTIME_SIZE of ckfit.h. */
#define VOL_RUNTIME_SIZE 65

enum vol_runtime_kind {
	VOL_RUNTIME_FOLDER, /* no file: its content has no name */
	VOL_RUNTIME_SQUASHFS,
	VOL_RUNTIME_EROFS,
};

/* What path would be, by its ending, and its content's name ("" of a folder).
 * EINVAL: a file's ending without such a name before it; *kind and digest are
 * untouched then. */
int vol_runtime_parse(const char *path, enum vol_runtime_kind *kind,
		      char digest[VOL_RUNTIME_SIZE], struct vol_error *err);

/* The name of what is mounted there, within path; "": this is no such folder,
 * but a machine's own system (path "") or some folder of it. */
const char *vol_runtime_of(const char *path);

/* What file systems are called in mount(2); NULL: a folder. */
const char *vol_runtime_type(enum vol_runtime_kind kind);

#endif
