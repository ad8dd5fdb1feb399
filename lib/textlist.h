/* SPDX-License-Identifier: GPL-2.0-or-later */
/* textlist.h - lists as of execve(2): texts, and NULL at the end, in one
 * malloc'ed piece
 *
 * Whoever fills one does all of it twice: the first time it is only counted.
 */
#ifndef VOL_TEXTLIST_H
#define VOL_TEXTLIST_H

#include <stddef.h>

#include "error.h"

/* All zero: counting. */
struct vol_textlist {
	char **list; /* NULL while counting; for the caller to free at the end
		      */
	char *text;
	size_t n, len;
};

/* A text of several parts: begin, then each of them, then end. */
void vol_textlist_begin(struct vol_textlist *t);
void vol_textlist_part(struct vol_textlist *t, const char *part, size_t len);
void vol_textlist_end(struct vol_textlist *t);

/* It was counted: make room, and NULL at the end, for the second time.
 * ENOMEM. */
int vol_textlist_make(struct vol_textlist *t, struct vol_error *err);

#endif
