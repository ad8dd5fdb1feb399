/* SPDX-License-Identifier: GPL-2.0-or-later */
/* script.c - the batch script that every task of an array runs
 *
 * The block that computes the point is one compound command: a shell reads it
 * to its end before it runs any of it, so the file may be overwritten from
 * within.  Variables of its own begin with VBATCH_, which no axis does.
 */
#include "config.h"

#include "script.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "words.h"

struct writer {
	FILE *out;
	const struct vb_job *job;
	uint64_t base;
	uint64_t span;
	size_t max;
};

/* A name as the value of an #SBATCH option, whose quotes are sbatch's own. */
static void write_name(FILE *out, const char *name)
{
	fputs("#SBATCH --job-name=\"", out);
	for (; *name; name++) {
		if (*name == '"' || *name == '\\')
			putc('\\', out);
		putc(*name == '\n' ? '_' : *name, out);
	}
	fputs("\"\n", out);
}

static void write_head(struct writer *w)
{
	fputs("#!/bin/sh\n", w->out);
	if (w->job->source->name)
		write_name(w->out, w->job->source->name);
	fwrite(w->job->header->lines, 1, w->job->header->size, w->out);
	fputs("# vbatch: from here to the closing brace a point of the matrix\n"
	      "# becomes variables; the user's script follows unchanged.\n"
	      "{\n"
	      "unset VBATCH_DIR VBATCH_FILE\n",
	      w->out);
	fprintf(w->out,
		"VBATCH_POINT=$((${SLURM_ARRAY_TASK_ID:?} + %" PRIu64
		"))\nVBATCH_POINTS=%" PRIu64 "\n",
		w->base, vol_matrix_count(w->job->matrix));
}

static void write_value(struct writer *w, size_t axis, uint64_t index)
{
	char value[VOL_MATRIX_VALUE_SIZE];

	if (vol_matrix_value(w->job->matrix, axis, index, value,
			     sizeof(value)) < 0)
		value[0] = '\0'; /* cannot be: the size is the contract's */
	fprintf(w->out, "%s=", vol_matrix_name(w->job->matrix, axis));
	vb_words_quote(w->out, value);
}

/* A table of the values that these points need, all or a stretch of them. */
static void write_table(struct writer *w, size_t axis)
{
	const struct vol_matrix *m = w->job->matrix;
	uint64_t length = vol_matrix_length(m, axis);
	uint64_t stride = vol_matrix_stride(m, axis);
	uint64_t first = w->base / stride;
	uint64_t count = (w->base + w->span - 1) / stride - first + 1;

	if (count > length)
		count = length;
	if (count == 1) {
		write_value(w, axis, first % length);
		putc('\n', w->out);
		return;
	}
	fprintf(w->out,
		"case $((VBATCH_POINT / %" PRIu64 " %% %" PRIu64 ")) in\n",
		stride, length);
	for (uint64_t i = 0; i < count; i++) {
		fprintf(w->out, "%" PRIu64 ") ", (first + i) % length);
		write_value(w, axis, (first + i) % length);
		fputs(" ;;\n", w->out);
		if ((size_t)ftell(w->out) > w->max)
			break;
	}
	fputs("*) echo 'vbatch: no such point' >&2; exit 1 ;;\nesac\n", w->out);
}

static void write_axis(struct writer *w, size_t axis)
{
	const struct vol_matrix *m = w->job->matrix;
	int64_t lo, step;

	if (!vol_matrix_is_integer_range(m, axis, &lo, &step)) {
		write_table(w, axis);
		return;
	}
	fprintf(w->out,
		"%s=$((%" PRId64 " + %" PRId64 " * (VBATCH_POINT / %" PRIu64
		" %% %" PRIu64 ")))\n",
		vol_matrix_name(m, axis), lo, step, vol_matrix_stride(m, axis),
		vol_matrix_length(m, axis));
}

static void write_variables(struct writer *w)
{
	size_t axes = vol_matrix_axes(w->job->matrix);

	for (size_t i = 0; i < axes && (size_t)ftell(w->out) <= w->max; i++)
		write_axis(w, i);
	fputs("export VBATCH_POINT VBATCH_POINTS", w->out);
	for (size_t i = 0; i < axes; i++)
		fprintf(w->out, " %s", vol_matrix_name(w->job->matrix, i));
	fputs("\nset --", w->out);
	for (size_t i = 0; i < w->job->args_count; i++) {
		putc(' ', w->out);
		vb_words_arg(w->out, w->job->matrix, w->job->args[i]);
	}
	putc('\n', w->out);
}

static void write_exec(struct writer *w, const char *file)
{
	fputs("exec ", w->out);
	vb_words_quote(w->out, w->job->source->interpreter);
	if (w->job->source->argument) {
		putc(' ', w->out);
		vb_words_quote(w->out, w->job->source->argument);
	}
	fprintf(w->out, " %s \"$@\"\n", file);
}

/* Under slurmd the generated script is the user's own file: move the user's
 * part, its tail, to the front and cut the rest.  tail only ever overwrites
 * what it has read.  Elsewhere (a read-only spool directory, or the script run
 * by hand) the user's part goes through an unlinked temporary file. */
static void write_start(struct writer *w)
{
	size_t size = w->job->source->size;

	fprintf(w->out,
		"case $0 in\n"
		"*/job*/slurm_script)\n"
		"[ -w \"$0\" ] && {\n"
		"command -p tail -c %zu \"$0\" 1<>\"$0\" &&\n"
		"command -p dd if=/dev/null of=\"$0\" bs=1 seek=%zu "
		"2>/dev/null &&\n",
		size, size);
	write_exec(w, "\"$0\"");
	fputs("exit 1\n"
	      "} ;;\n"
	      "esac\n"
	      "for VBATCH_DIR in \"${TMPDIR:-/tmp}\" /tmp /dev/shm /var/tmp\n"
	      "do\n"
	      "VBATCH_FILE=$(command -p mktemp \"$VBATCH_DIR/vbatch.XXXXXX\" "
	      "2>/dev/null) ||\n"
	      "continue\n",
	      w->out);
	fprintf(w->out,
		"command -p tail -c %zu \"$0\" >\"$VBATCH_FILE\" &&\n"
		"exec 9<\"$VBATCH_FILE\" &&\n"
		"command -p rm -f \"$VBATCH_FILE\" &&\n",
		size);
	write_exec(w, "/dev/fd/9");
	fputs("command -p rm -f \"$VBATCH_FILE\"\n"
	      "done\n"
	      "echo 'vbatch: no room for the job script, set TMPDIR' >&2\n"
	      "exit 1\n"
	      "}\n",
	      w->out);
}

int vb_script_generate(const struct vb_job *job, uint64_t base, uint64_t span,
		       size_t max, char **text, size_t *size,
		       struct vol_error *err)
{
	struct writer w = {
		.job = job,
		.base = base,
		.span = span,
		.max = max,
	};

	*text = NULL;
	w.out = open_memstream(text, size);
	if (!w.out)
		return vol_errorf(err, "out of memory");
	write_head(&w);
	write_variables(&w);
	write_start(&w);
	fwrite(job->source->text, 1, job->source->size, w.out);
	if (fclose(w.out) != 0) {
		free(*text);
		*text = NULL;
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	}
	if (*size <= max)
		return 0;
	free(*text);
	*text = NULL;
	return vol_errorf_errno(err, EFBIG,
				"the batch script is larger than the %zu bytes "
				"that the cluster allows (max_script_size)",
				max);
}
