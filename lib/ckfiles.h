/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckfiles.h - the files that a job has for itself, in an image; pure
 *
 * A program that saves itself (--volunteer-checkpoint=app) has images without
 * processes.  What is in them are the folders of a sandbox that end with it,
 * and that no other machine has: /tmp, /var/tmp and the job's home in /home.
 * The record lists it as struct vol_rollback_entry, a folder before what is in
 * it: folders, files (copy) and symbolic links (target), and contents are in
 * VOL_RECORD_COPIES in the same order.  Of an entry path, mode, length and
 * mtime count, and all else is 0.
 *
 * The list comes from a machine that nobody controls.  It is judged as a whole
 * before anything is made of it, and made with the rights of the job, inside.
 */
#ifndef VOL_CKFILES_H
#define VOL_CKFILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "rollback.h"

/* Permissions that travel: not those that give somebody else's rights away. */
#define VOL_CKFILES_MODES 0777
/* What tmpfs takes for a file is so many bytes, or a multiple. */
#define VOL_CKFILES_PAGE 4096

/* Folders that may be taken along, of the first one below /home only what is
 * in it.  NULL at the end. */
extern const char *const vol_ckfiles_folders[];

/* Is that a path of something that may be taken along? */
bool vol_ckfiles_travels(const char *path);

/* May a machine make all of that, with room bytes for it?  -1 with EPERM and
 * "PATH: reason": nobody may; ENOTSUP: it has no room; ENOMEM. */
int vol_ckfiles_check(const struct vol_rollback_entry *entry, size_t n,
		      uint64_t room, struct vol_error *err);

#endif
