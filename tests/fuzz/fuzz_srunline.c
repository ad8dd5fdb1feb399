/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_srunline.c - any words, one a line, as a command line of srun
 *
 * What is written for the real srun is taken again, as itself: it can be read
 * in one way only.
 */
#include "config.h"

#include "fuzz.h"
#include "srunline.h"

#define JOB       42
#define WORDS_MAX 512

static char **build(char *const argv[], const char *cwd)
{
	struct vol_error err = {""};
	struct vol_srunline line;
	char **built;

	if (vol_srunline_parse(argv, JOB, &line, &err) < 0) {
		fuzz_assert(err.text[0]);
		return NULL;
	}
	built = vol_srunline_build(&line, JOB, cwd, NULL, &err);
	fuzz_assert(built);
	vol_srunline_release(&line);
	return built;
}

static void check_again(char **built)
{
	char **again = build(built, "/nowhere");
	size_t i;

	fuzz_assert(again);
	for (i = 0; built[i]; i++)
		fuzz_assert(again[i] && !strcmp(again[i], built[i]));
	fuzz_assert(!again[i]);
	free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size), *rest = text, *word;
	char *argv[WORDS_MAX + 1], **built;
	size_t n = 0;

	while (n < WORDS_MAX && (word = strsep(&rest, "\n")))
		argv[n++] = word;
	argv[n] = NULL;
	built = build(argv, "/work");
	if (built)
		check_again(built);
	free(built);
	free(text);
	return 0;
}
