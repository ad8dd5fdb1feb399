/* SPDX-License-Identifier: GPL-2.0-or-later */
/* paragraph.c - running text in lines of a terminal's width */
#include "config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "paragraph.h"

#define LINE_WIDTH 78

void vol_paragraph_begin(struct vol_paragraph *p)
{
	p->text = NULL;
	p->f = open_memstream(&p->text, &p->size);
}

static void wrap(FILE *out, char *text)
{
	size_t column = 0, len;
	char *word, *p, *save = NULL;

	for (word = strtok_r(text, " ", &save); word;
	     word = strtok_r(NULL, " ", &save)) {
		for (p = word; *p; p++)
			if (iscntrl((unsigned char)*p))
				*p = '?';
		len = strlen(word);
		if (column > 0 && column + 1 + len > LINE_WIDTH) {
			putc('\n', out);
			column = 0;
		}
		column += (size_t)fprintf(out, "%s%s", column ? " " : "", word);
	}
	if (column)
		putc('\n', out);
}

void vol_paragraph_end(struct vol_paragraph *p, FILE *out)
{
	if (p->f && fclose(p->f) == 0)
		wrap(out, p->text);
	free(p->text);
	p->f = NULL;
	p->text = NULL;
}
