/* SPDX-License-Identifier: GPL-2.0-or-later */
/* text.h - texts that others wrote: what may be stored, what may be shown */
#ifndef VOL_TEXT_H
#define VOL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 32 characters, quotes, "..." and NUL: enough to recognise a text, short
 * enough that the reason beside it is never cut. */
#define VOL_EXCERPT_SIZE 40

/* The beginning of len bytes in quotes, anything but printable ASCII as '?',
 * "..." when cut.  text may be NULL when len is 0.  Returns buf. */
const char *vol_text_excerpt(const void *text, size_t len,
			     char buf[VOL_EXCERPT_SIZE]);

/* 0x20..0x7e? */
bool vol_char_printable(unsigned char c);

/* [A-Za-z0-9] or one of more. */
bool vol_char_in(unsigned char c, const char *more);

/* Is path the folder, or below it?  Absolute ones without ".." or a slash at
 * the end. */
bool vol_path_within(const char *path, const char *folder);

/* A decimal number as we write it: digits only, no leading zero, min..max.
 * -1 with EINVAL or ERANGE, *number untouched. */
int vol_text_number(const char *text, size_t len, uint64_t min, uint64_t max,
		    uint64_t *number);

#endif
