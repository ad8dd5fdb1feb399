/* SPDX-License-Identifier: GPL-2.0-or-later */
/* paragraph.h - running text in lines of a terminal's width */
#ifndef VOL_PARAGRAPH_H
#define VOL_PARAGRAPH_H

#include <stdio.h>

/* A page is written into f, a stream in memory, and then wrapped. */
struct vol_paragraph {
	FILE *f; /* NULL: no memory, write nothing */
	char *text;
	size_t size;
};

void vol_paragraph_begin(struct vol_paragraph *p);
/* Print the words in lines and forget them; what could drive a terminal is
 * replaced.  Nothing is printed when there are no words. */
void vol_paragraph_end(struct vol_paragraph *p, FILE *out);

#endif
