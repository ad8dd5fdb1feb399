/* SPDX-License-Identifier: GPL-2.0-or-later */
/* etc.h - how a copy of /etc knows what it was made of (etc.c, sources.c)
 *
 * Every file and folder that was looked at, but for links, whose change is one
 * of their folder: what stat(2) says of all of them goes into one number,
 * together with what the policy says.
 */
#ifndef VOL_SANDBOX_ETC_H
#define VOL_SANDBOX_ETC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "error.h"
#include "private.h"

struct vol_sources {
	size_t n;     /* bytes of paths, each with its NUL */
	size_t size;  /* of the memory */
	char *paths;  /* below /etc; "." is that itself */
	int64_t last; /* the last change of any, ns since 1970 */
	uint64_t hash;
};

/* On errors what is there already is still to be freed. */
int vol_sources_begin(struct vol_sources *seen, const struct vol_sandbox *s,
		      struct vol_error *err);
/* Before its content is read.  NULL: it can not be had. */
int vol_sources_add(struct vol_sources *seen, const char *path,
		    const struct stat *st, struct vol_error *err);
/* A file in folder dir says all of it. */
int vol_sources_write(const struct vol_sources *seen, int dir,
		      struct vol_error *err);
void vol_sources_free(struct vol_sources *seen);

/* Would a change from now on be seen?  Times of files are those of a clock that
 * may stand still for 10 ms (CONFIG_HZ=100), other file systems' for 1 s. */
bool vol_sources_settled(const struct vol_sources *seen);

/* Is what the file in folder dir says still so? */
bool vol_sources_unchanged(const struct vol_sandbox *s, int dir);

#endif
