/* SPDX-License-Identifier: GPL-2.0-or-later */
/* select_divert.h - tell dpkg where an upgrade must put a file we stand for
 *
 * Only dpkg's records change; no file is moved.  root is "" for the running
 * system, else the folder that holds another one.  Paths are as seen inside.
 */
#ifndef VOL_SELECT_DIVERT_H
#define VOL_SELECT_DIVERT_H

#include <stdbool.h>

#include "error.h"

/* Whether dpkg keeps records under root and can be told. */
bool vol_divert_available(const char *root);

/* Whether path is diverted to target.  -1 as well if it is diverted elsewhere:
 * that diversion is somebody else's. */
int vol_divert_get(const char *root, const char *path, const char *target,
		   bool *diverted, struct vol_error *err);
int vol_divert_add(const char *root, const char *path, const char *target,
		   struct vol_error *err);
int vol_divert_remove(const char *root, const char *path, const char *target,
		      struct vol_error *err);

#endif
