/* SPDX-License-Identifier: GPL-2.0-or-later */
/* source.h - the user's script: where it comes from and what runs it */
#ifndef VB_SOURCE_H
#define VB_SOURCE_H

#include <stddef.h>

#include "error.h"
#include "matrix.h"

struct vb_source {
	char *text; /* no NUL inside, one behind */
	size_t size;
	char *name;        /* the job's default name; NULL: sbatch's own */
	char *interpreter; /* of the #! line */
	char *argument;    /* all behind it, as the kernel passes it; or NULL */
};

/* Read a script as sbatch would: a file, found in the working directory or
 * along PATH; the standard input, if word is NULL.  Refuses what sbatch
 * refuses: an empty script, one without #!, NULs, DOS line breaks. */
int vb_source_read(struct vb_source *s, const char *word,
		   struct vol_error *err);

/* Make a script of a --wrap string, see vb_words_wrap. */
int vb_source_wrap(struct vb_source *s, const struct vol_matrix *m,
		   const char *command, struct vol_error *err);

void vb_source_free(struct vb_source *s);

#endif
