/* SPDX-License-Identifier: GPL-2.0-or-later */
/* words.h - text for a shell, with {NAME} for the value of an axis
 *
 * Values are never pasted in: {NAME} becomes a quoted reference to the variable
 * NAME, so no value can be taken for shell text.  "{{" stands for "{";
 * "{other}" and "${NAME}" are left as they are.
 */
#ifndef VB_WORDS_H
#define VB_WORDS_H

#include <stdio.h>

#include "matrix.h"

/* Write any bytes as one quoted word. */
void vb_words_quote(FILE *out, const char *text);

/* Write an argument as one quoted word, with {NAME}. */
void vb_words_arg(FILE *out, const struct vol_matrix *m, const char *text);

/* Write shell commands unchanged but for {NAME}, which stands for exactly its
 * value wherever it is: bare, in "..." or in '...'. */
void vb_words_wrap(FILE *out, const struct vol_matrix *m, const char *text);

#endif
