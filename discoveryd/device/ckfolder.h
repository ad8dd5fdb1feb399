/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckfolder.h - a folder for images that are on their way
 *
 * STATE_DIR/images/save.XXXXXX, root's alone.  Whoever made it holds a lock on
 * it for as long as it lives, so the next one knows which were left behind, and
 * removes them.
 */
#ifndef VOL_CKFOLDER_H
#define VOL_CKFOLDER_H

#include <limits.h>
#include <stdbool.h>

#include "error.h"

#define VOL_CKFOLDER_DIR "images" /* in STATE_DIR */

struct vol_ckfolder {
	char path[PATH_MAX];
	int lock; /* descriptor of the folder, which has the lock; -1: none */
};

/* A new one, and none that was left behind any more. */
int vol_ckfolder_make(const char *state_dir, struct vol_ckfolder *folder,
		      struct vol_error *err);
/* Keeps errno. */
void vol_ckfolder_remove(struct vol_ckfolder *folder);

/* Remove those that were left behind.  false: something still writes into one
 * of them. */
bool vol_ckfolder_tidy(const char *state_dir);

/* All that is in a folder, which stays.  Links are not followed, nor is
 * anything that is mounted there. */
int vol_ckfolder_empty(const char *path, struct vol_error *err);

#endif
