/* SPDX-License-Identifier: GPL-2.0-or-later */
/* header.c - the #SBATCH lines at the top of a batch script */
#include "config.h"

#include "header.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cleanup.h"

/* sbatch looks for #PBS and #BSUB until it has met this many other lines. */
#define FOREIGN_LINES 100

static bool begins(const char *line, size_t size, const char *word)
{
	size_t n = strlen(word);

	return size >= n && !memcmp(line, word, n);
}

/* Size of the word that makes a line one of ours, or 0. */
static size_t own_magic(const char *line, size_t size)
{
	if (begins(line, size, "#SBATCH"))
		return strlen("#SBATCH");
	return begins(line, size, "#SLURM") ? strlen("#SLURM") : 0;
}

static size_t skip_space(const char *line, size_t size, size_t i)
{
	while (i < size && isspace((unsigned char)line[i]))
		i++;
	return i;
}

/* Take one word off a line: quotes group, a backslash takes the next
 * character as it is, # begins a comment.  Returns NULL at the end. */
static char *take_word(const char *line, size_t size, size_t *at)
{
	size_t i = skip_space(line, size, *at), n = 0;
	char *word = malloc(size - i + 1);
	char quote = '\0';

	if (!word)
		return NULL;
	for (; i < size && (quote || !isspace((unsigned char)line[i])); i++) {
		if (line[i] == '\\') {
			if (++i == size)
				break;
			word[n++] = line[i];
		} else if (quote && line[i] == quote) {
			quote = '\0';
		} else if (!quote && (line[i] == '"' || line[i] == '\'')) {
			quote = line[i];
		} else if (!quote && line[i] == '#') {
			break;
		} else {
			word[n++] = line[i];
		}
	}
	*at = i;
	if (n == 0) {
		free(word);
		return NULL;
	}
	word[n] = '\0';
	return word;
}

/* The words behind #SBATCH. */
static int read_words(struct vb_header *h, const char *line, size_t size)
{
	size_t at = 0;
	char *word;
	bool first = true;

	while ((word = take_word(line, size, &at))) {
		char **words = reallocarray(h->words, h->words_count + 1,
					    sizeof(*words));

		if (!words) {
			free(word);
			return -1;
		}
		h->words = words;
		h->words[h->words_count++] = word;
		if (first && (!strcasecmp(word, "hetjob") ||
			      !strcasecmp(word, "packjob")))
			h->seen.het = true;
		first = false;
	}
	return 0;
}

/* Collect the lines into out and the words of ours into h. */
static int read_lines(struct vb_header *h, FILE *out, const char *text,
		      size_t size)
{
	const char *end = text + size;
	bool commands = false;
	unsigned other = 0;

	while (text < end && other <= FOREIGN_LINES) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		size_t n = (size_t)((stop ? stop : end) - text);
		size_t first = skip_space(text, n, 0);
		size_t magic = commands ? 0 : own_magic(text, n);

		if (magic || begins(text, n, "#PBS") ||
		    begins(text, n, "#BSUB"))
			fprintf(out, "%.*s\n", (int)n, text);
		if (magic && read_words(h, text + magic, n - magic) < 0)
			return -1;
		if (first < n && text[first] != '#')
			commands = true;
		if (n == 0 || text[0] != '#')
			other++;
		text += n + (stop != NULL);
	}
	return 0;
}

int vb_header_read(struct vb_header *h, const char *text, size_t size,
		   vb_unknown_f unknown, void *arg, struct vol_error *err)
{
	bool het;
	FILE *out;
	int rc;

	memset(h, 0, sizeof(*h));
	out = open_memstream(&h->lines, &h->size);
	if (!out)
		return vol_errorf(err, "out of memory");
	rc = read_lines(h, out, text, size);
	if (fclose(out) != 0 || rc < 0) {
		vb_header_free(h);
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	}
	het = h->seen.het;
	if (vb_args_scan(&h->seen, h->words_count, h->words, unknown, arg,
			 err) < 0) {
		vb_header_free(h);
		return vol_error_prefix(err, "#SBATCH lines");
	}
	h->seen.het = het;
	return 0;
}

void vb_header_free(struct vb_header *h)
{
	for (size_t i = 0; i < h->words_count; i++)
		free(h->words[i]);
	free(h->words);
	free(h->lines);
	memset(h, 0, sizeof(*h));
}
