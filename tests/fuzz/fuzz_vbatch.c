/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_vbatch.c - any text as a command line, a script and a configuration
 *
 * One input is all three: its lines are the words of a command line, the whole
 * is a script's text, an argument and the answer of scontrol.  Besides memory
 * errors: each word goes to sbatch or the script at most once and in order.
 */
#include "config.h"

#include "fuzz.h"

#include "matrix.h"
#include "wrappers/vbatch/args.h"
#include "wrappers/vbatch/header.h"
#include "wrappers/vbatch/limits.h"
#include "wrappers/vbatch/words.h"

#define WORDS_MAX 64

static enum vb_arg unknown(const char *name, size_t size, void *arg)
{
	return vb_option_in_help(arg, name, size);
}

static void try_args(char *text, char *help)
{
	struct vol_error err = {""};
	char *argv[WORDS_MAX + 2] = {"vbatch"}, *rest = text, *word;
	struct vb_args args;
	int argc = 1, at = 1;

	while (argc <= WORDS_MAX && (word = strsep(&rest, "\n")))
		argv[argc++] = word;
	if (vb_args_parse(&args, argc, argv, unknown, help, &err) < 0) {
		fuzz_assert(err.text[0]);
		return;
	}
	for (size_t i = 0; i < args.sbatch_count; i++) {
		while (at < argc && argv[at] != args.sbatch[i])
			at++;
		fuzz_assert(at++ < argc);
	}
	fuzz_assert(args.script >= argv + at || !args.script_count);
	fuzz_assert(args.script + args.script_count == argv + argc);
	vb_args_free(&args);
}

static void try_words(const char *text)
{
	struct vol_matrix *m = vol_matrix_create();
	char *out = NULL;
	size_t size;
	FILE *fp = open_memstream(&out, &size);

	fuzz_assert(m && fp && vol_matrix_add(m, "n=1..3", NULL) == 0);
	vb_words_arg(fp, m, text);
	vb_words_wrap(fp, m, text);
	fclose(fp);
	fuzz_assert(strlen(out) == size && size >= 2);
	free(out);
	vol_matrix_destroy(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size);
	char *copy = fuzz_string(data, size);
	struct vol_error err = {""};
	struct vb_limits limits;
	struct vb_header header;

	try_words(text);
	if (vb_limits_parse(text, &limits, &err) == 0)
		fuzz_assert(limits.array_tasks > 0 &&
			    limits.array_tasks <= limits.array_size);
	else
		fuzz_assert(err.text[0]);
	if (vb_header_read(&header, text, strlen(text), unknown, text, &err) ==
	    0)
		vb_header_free(&header);
	try_args(copy, text);
	free(copy);
	free(text);
	return 0;
}
