/* SPDX-License-Identifier: GPL-2.0-or-later */
/* words.c - text for a shell, with {NAME} for the value of an axis */
#include "config.h"

#include "words.h"

#include <stdbool.h>
#include <string.h>

/* Is there a {NAME} of an axis at p, that is not the end of a ${NAME}?
 * Returns the size of the name, or 0. */
static size_t reference(const struct vol_matrix *m, const char *text,
			const char *p)
{
	size_t size;

	if (*p != '{' || (p > text && p[-1] == '$'))
		return 0;
	size = strcspn(p + 1, "{}");
	if (p[1 + size] != '}')
		return 0;
	for (size_t i = 0; i < vol_matrix_axes(m); i++) {
		const char *name = vol_matrix_name(m, i);

		if (strlen(name) == size && !memcmp(name, p + 1, size))
			return size;
	}
	return 0;
}

static void quote_char(FILE *out, const char *p)
{
	if (*p == '\'')
		fputs("'\\''", out);
	else if (*p == '\r' && p[1] == '\n')
		fputs("\r''", out); /* sbatch refuses the two in a row */
	else
		putc(*p, out);
}

void vb_words_quote(FILE *out, const char *text)
{
	putc('\'', out);
	for (; *text; text++)
		quote_char(out, text);
	putc('\'', out);
}

void vb_words_arg(FILE *out, const struct vol_matrix *m, const char *text)
{
	putc('\'', out);
	for (const char *p = text; *p; p++) {
		size_t size = reference(m, text, p);

		if (size) {
			fprintf(out, "'\"$%.*s\"'", (int)size, p + 1);
			p += size + 1;
		} else if (p[0] == '{' && p[1] == '{') {
			putc('{', out);
			p++;
		} else {
			quote_char(out, p);
		}
	}
	putc('\'', out);
}

/* --- where in a shell text are we? -----------------------------------------
 */

/* Commands nest in quotes and quotes in commands: "$(cat "{file}")".  Deeper
 * than this nobody writes; then all of it counts as the innermost. */
#define DEPTH_MAX 32

enum context { COMMAND, DOUBLE, SINGLE, COMMENT, BACKTICK };

struct shell {
	enum context stack[DEPTH_MAX];
	size_t depth;
};

static void enter(struct shell *sh, enum context c)
{
	if (sh->depth + 1 < DEPTH_MAX)
		sh->stack[++sh->depth] = c;
}

static void leave(struct shell *sh)
{
	if (sh->depth)
		sh->depth--;
}

/* Does a # at p begin a comment? */
static bool at_word_start(const char *text, const char *p)
{
	return p == text || strchr(" \t\n;&|(", p[-1]) != NULL;
}

/* Move over the character at p. */
static void advance(struct shell *sh, const char *text, const char *p)
{
	enum context now = sh->stack[sh->depth];

	if (now == SINGLE) {
		if (*p == '\'')
			leave(sh);
	} else if (now == COMMENT) {
		if (*p == '\n')
			leave(sh);
	} else if (*p == '"') {
		if (now == DOUBLE)
			leave(sh);
		else
			enter(sh, DOUBLE);
	} else if (*p == '`') {
		if (now == BACKTICK)
			leave(sh);
		else
			enter(sh, BACKTICK);
	} else if (*p == '(' && (now != DOUBLE || (p > text && p[-1] == '$'))) {
		enter(sh, COMMAND);
	} else if (now == DOUBLE) {
		return;
	} else if (*p == ')') {
		if (now == COMMAND)
			leave(sh);
	} else if (*p == '\'') {
		enter(sh, SINGLE);
	} else if (*p == '#' && at_word_start(text, p)) {
		enter(sh, COMMENT);
	}
}

static void wrap_reference(FILE *out, enum context now, const char *name,
			   size_t size)
{
	static const char *const around[][2] = {
		[COMMAND] = {"\"${", "}\""}, [BACKTICK] = {"\"${", "}\""},
		[DOUBLE] = {"${", "}"},      [SINGLE] = {"'\"${", "}\"'"},
		[COMMENT] = {"{", "}"},
	};

	fprintf(out, "%s%.*s%s", around[now][0], (int)size, name,
		around[now][1]);
}

void vb_words_wrap(FILE *out, const struct vol_matrix *m, const char *text)
{
	struct shell sh = {.depth = 0};

	for (const char *p = text; *p; p++) {
		enum context now = sh.stack[sh.depth];
		size_t size = reference(m, text, p);

		if (size) {
			wrap_reference(out, now, p + 1, size);
			p += size + 1;
		} else if (p[0] == '{' && p[1] == '{') {
			putc('{', out);
			p++;
		} else if (*p == '\\' && p[1] && now != SINGLE &&
			   now != COMMENT) {
			putc(*p++, out);
			putc(*p, out);
		} else {
			putc(*p, out);
			advance(&sh, text, p);
		}
	}
}
