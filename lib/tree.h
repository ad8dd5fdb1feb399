/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tree.h - a folder with all that is in it */
#ifndef VOL_TREE_H
#define VOL_TREE_H

#include "error.h"

/* Remove path, a folder of the caller's own that nobody else writes to, links
 * as links, staying on its file system.  Nothing there is fine. */
int vol_tree_remove(const char *path, struct vol_error *err);

#endif
