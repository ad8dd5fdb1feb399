/* SPDX-License-Identifier: GPL-2.0-or-later */
/* owner_list.h - owners of device.conf as a list that changes hands; pure */
#ifndef VOL_OWNER_LIST_H
#define VOL_OWNER_LIST_H

#include "error.h"

/* A new malloc'ed "ann, carol" in which to has the place of from; from NULL:
 * that of the only one, or the first of an empty (or NULL) list.  to is named
 * once, also when it was in the list already.  EINVAL for what is no name,
 * ENOENT when from is not in the list, or not said and there are several. */
char *vol_owner_list_move(const char *list, const char *from, const char *to,
			  struct vol_error *err);

#endif
