/* SPDX-License-Identifier: GPL-2.0-or-later */
/* textlist.c - lists as of execve(2), in one malloc'ed piece */
#include "config.h"

#include "textlist.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void vol_textlist_begin(struct vol_textlist *t)
{
	if (t->list)
		t->list[t->n] = t->text + t->len;
}

void vol_textlist_part(struct vol_textlist *t, const char *part, size_t len)
{
	if (t->list && len)
		memcpy(t->text + t->len, part, len);
	t->len += len;
}

void vol_textlist_end(struct vol_textlist *t)
{
	if (t->list)
		t->text[t->len] = '\0';
	t->len++;
	t->n++;
}

int vol_textlist_make(struct vol_textlist *t, struct vol_error *err)
{
	size_t table = (t->n + 1) * sizeof(char *);
	char **list = malloc(table + t->len);

	if (!list)
		return vol_errorf_errno(err, ENOMEM, "no memory");
	list[t->n] = NULL;
	*t = (struct vol_textlist){.list = list, .text = (char *)list + table};
	return 0;
}
