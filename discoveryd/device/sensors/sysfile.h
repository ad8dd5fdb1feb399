/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sysfile.h - small files of the kernel (/proc, /sys), read without malloc */
#ifndef VOL_SYSFILE_H
#define VOL_SYSFILE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The beginning of the file named by fmt below root: NUL-terminated, without a
 * newline at its end.  Its length, or -1 with errno and *buf empty. */
ssize_t vol_sysfile_read(const char *root, char *buf, size_t size,
			 const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* The same for a file that holds one number; EINVAL when it does not. */
int vol_sysfile_number(const char *root, int64_t *number, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The number after "key " at the beginning of a line; -1 when there is none. */
int vol_sysfile_key(const char *text, const char *key, uint64_t *number);

#endif
