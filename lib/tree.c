/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tree.c - a folder with all that is in it */
#include "config.h"

#include "tree.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>

#define OPEN_FOLDERS 8

static int remove_one(const char *path, const struct stat *st, int kind,
		      struct FTW *where)
{
	(void)st;
	(void)kind;
	(void)where;
	return remove(path) != 0 && errno != ENOENT ? -1 : 0;
}

int vol_tree_remove(const char *path, struct vol_error *err)
{
	if (nftw(path, remove_one, OPEN_FOLDERS,
		 FTW_DEPTH | FTW_PHYS | FTW_MOUNT) != 0 &&
	    errno != ENOENT)
		return vol_errorf(err, "%s: cannot remove: %s", path,
				  strerror(errno));
	return 0;
}
