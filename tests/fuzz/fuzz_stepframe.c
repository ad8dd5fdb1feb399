/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_stepframe.c - any bytes as a request of the srun inside a sandbox
 *
 * What is accepted is written again and is the same; what follows from it, the
 * command line and the environment of the real srun, is looked at as well.
 */
#include "config.h"

#include <stdbool.h>

#include "fuzz.h"
#include "srunline.h"
#include "stepenv.h"
#include "stepframe.h"

#define JOB 42

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

static void check_env(char **env)
{
	for (; *env; env++)
		fuzz_assert(begins(*env, VOL_STEPENV_PREFIX) ||
			    begins(*env, "PATH=/usr/bin:/bin") ||
			    !strcmp(*env, "SLURM_JOB_ID=42") ||
			    vol_stepenv_passes(*env));
}

/* The real srun reads options up to "--", and those only. */
static void check_argv(char **argv)
{
	bool job = false, program = false;

	fuzz_assert(!strcmp(argv[0], "srun"));
	for (size_t i = 1; argv[i]; i++) {
		fuzz_assert(strcmp(argv[i], ":") != 0);
		if (program)
			continue;
		program = !strcmp(argv[i], "--");
		fuzz_assert(begins(argv[i], "--"));
		fuzz_assert(!begins(argv[i], "--prolog") &&
			    !begins(argv[i], "--epilog") &&
			    !begins(argv[i], "--bcast") &&
			    !begins(argv[i], "--uid"));
		fuzz_assert(!begins(argv[i], "--jobid") ||
			    !strcmp(argv[i], "--jobid=42"));
		job = job || begins(argv[i], "--jobid");
	}
	fuzz_assert(job && program);
}

static void check_line(const struct vol_stepframe *frame)
{
	struct vol_error err = {""};
	struct vol_srunline line;
	char **argv, **env, *export, path[64];

	if (vol_srunline_parse(frame->argv, JOB, &line, &err) < 0) {
		fuzz_assert(err.text[0]);
		return;
	}
	env = vol_stepenv_pack(frame->env, line.export, JOB, NULL, NULL);
	fuzz_assert(env);
	export = vol_stepenv_export(env, NULL);
	fuzz_assert(export && *export && !strpbrk(export, "=\"'"));
	argv = vol_srunline_build(&line, JOB, frame->cwd, export, NULL);
	fuzz_assert(argv);
	check_argv(argv);
	check_env(env);
	for (int i = 0; i < VOL_SRUNFILES; i++)
		if (line.file[i] == VOL_SRUNFILE_OURS)
			(void)vol_srunline_file(line.file_name[i], frame->env,
						path, sizeof(path), NULL);
	vol_srunline_release(&line);
	free(argv);
	free(export);
	free(env);
}

static void check_frame(const struct vol_stepframe *frame, const uint8_t *data)
{
	struct vol_error err = {""};
	size_t size;
	char *again = vol_stepframe_encode(frame, &size, &err);

	fuzz_assert(again);
	fuzz_assert(size == VOL_STEPFRAME_HEADER + frame->text_bytes);
	fuzz_assert(memcmp(again, data, size) == 0);
	free(again);
	check_line(frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vol_error err = {""};
	struct vol_stepframe frame;
	char *text;

	if (size < VOL_STEPFRAME_HEADER)
		return 0;
	if (vol_stepframe_header((const char *)data, &frame, &err) < 0) {
		fuzz_assert(err.text[0]);
		return 0;
	}
	if (size - VOL_STEPFRAME_HEADER < frame.text_bytes)
		return 0;
	text = malloc(frame.text_bytes ? frame.text_bytes : 1);
	if (!text)
		abort();
	memcpy(text, data + VOL_STEPFRAME_HEADER, frame.text_bytes);
	if (vol_stepframe_text(text, &frame, &err) == 0) {
		check_frame(&frame, data);
		vol_stepframe_release(&frame);
	} else {
		fuzz_assert(err.text[0]);
	}
	free(text);
	return 0;
}
