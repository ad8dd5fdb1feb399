/* SPDX-License-Identifier: GPL-2.0-or-later */
/* error.h - the one error convention
 *
 * A function that can fail returns 0 / -1 (or a pointer / NULL), sets errno
 * and, where a person must read the reason, takes a caller-owned struct
 * vol_error as its last parameter.  NULL is allowed and means "not interested".
 * Library code never logs, never exits and never allocates on the error path;
 * only the outermost caller logs.
 */
#ifndef VOL_ERROR_H
#define VOL_ERROR_H

#include <stdarg.h>

/* 256 bytes hold a path, a line number, a key and a reason; longer texts are
 * cut and end in "...". */
struct vol_error {
	char text[256];
};

/* Format a reason into err.  Keeps errno (sets EINVAL if it is 0).
 * Always returns -1, so that "return vol_errorf(err, ...);" reads well. */
int vol_errorf(struct vol_error *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* As vol_errorf, setting errno to errnum first. */
int vol_errorf_errno(struct vol_error *err, int errnum, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Put "prefix: " in front of the text.  Keeps errno, returns -1. */
int vol_error_prefix(struct vol_error *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
