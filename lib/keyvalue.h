/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keyvalue.h - lines KEY=VALUE, which our programs write for each other
 *
 * Not for people's files (conf.h): nothing is optional, there are no comments
 * and no spaces around anything, and each line has its newline: without it a
 * line may be half written.  libc only: it is linked into slurmstepd.
 */
#ifndef VOL_KEYVALUE_H
#define VOL_KEYVALUE_H

#include <stddef.h>

#include "error.h"

#define VOL_KEYVALUE_KEYS_MAX 32

struct vol_keyvalue {
	const char *const *keys;
	int n;      /* keys, at most VOL_KEYVALUE_KEYS_MAX */
	int once;   /* the first so many are there once; of the others there may
		     * be any number */
	size_t max; /* bytes of a file */
	/* A value of len bytes, without its newline.  -1 with a reason that
	 * need not name the key. */
	int (*take)(int key, const char *value, size_t len, void *arg,
		    struct vol_error *err);
};

/* len bytes of text, which may be NULL when that is 0.  -1 with EINVAL and
 * "NAME:LINE: key: reason"; what was taken before that was taken. */
int vol_keyvalue_parse(const struct vol_keyvalue *format, const char *name,
		       const char *text, size_t len, void *arg,
		       struct vol_error *err);

#endif
