/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stepframe.c - what the srun inside a job's sandbox asks of the one outside */
#include "config.h"

#include "stepframe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC       "VOLSRUN1"
#define MAGIC_SIZE  8
#define AT_ARGC     8
#define AT_ENV      12
#define AT_TEXT     16
#define AT_UMASK    20
#define AT_LIMITS   24
#define UMASK_MAX   0777
#define BYTES_LIMIT sizeof(uint64_t)

static int check_numbers(const struct vol_stepframe *frame,
			 struct vol_error *err)
{
	if (frame->argc < 1)
		return vol_errorf_errno(err, EINVAL, "no arguments");
	/* Each is checked first: the sum may overflow. */
	if (frame->argc > VOL_STEPFRAME_WORDS ||
	    frame->n_env > VOL_STEPFRAME_WORDS ||
	    frame->argc + frame->n_env > VOL_STEPFRAME_WORDS)
		return vol_errorf_errno(err, E2BIG,
					"more than %d arguments and variables",
					VOL_STEPFRAME_WORDS);
	if (frame->text_bytes > VOL_STEPFRAME_TEXT)
		return vol_errorf_errno(err, E2BIG,
					"arguments and environment have %u "
					"bytes, at most %d",
					frame->text_bytes, VOL_STEPFRAME_TEXT);
	if (frame->umask > UMASK_MAX)
		return vol_errorf_errno(err, EINVAL, "umask %o", frame->umask);
	return 0;
}

/* Bytes of the texts, or more than fits. */
static size_t measure(const struct vol_stepframe *frame)
{
	size_t size = strlen(frame->cwd) + 1;

	for (uint32_t i = 0; i < frame->argc; i++) {
		size += strlen(frame->argv[i]) + 1;
		if (size > VOL_STEPFRAME_TEXT)
			return size;
	}
	for (uint32_t i = 0; i < frame->n_env; i++) {
		size += strlen(frame->env[i]) + 1;
		if (size > VOL_STEPFRAME_TEXT)
			return size;
	}
	return size;
}

static char *put(char *to, const char *text)
{
	size_t size = strlen(text) + 1;

	memcpy(to, text, size);
	return to + size;
}

char *vol_stepframe_encode(const struct vol_stepframe *frame, size_t *size,
			   struct vol_error *err)
{
	struct vol_stepframe checked = *frame;
	char *buf, *to;

	if (frame->argc > VOL_STEPFRAME_WORDS ||
	    frame->n_env > VOL_STEPFRAME_WORDS)
		checked.text_bytes = 0;
	else
		checked.text_bytes = (uint32_t)measure(frame);
	if (check_numbers(&checked, err) < 0)
		return NULL;
	*size = VOL_STEPFRAME_HEADER + checked.text_bytes;
	buf = malloc(*size);
	if (!buf) {
		vol_errorf(err, "no memory");
		return NULL;
	}
	memcpy(buf, MAGIC, MAGIC_SIZE);
	memcpy(buf + AT_ARGC, &checked.argc, sizeof(uint32_t));
	memcpy(buf + AT_ENV, &checked.n_env, sizeof(uint32_t));
	memcpy(buf + AT_TEXT, &checked.text_bytes, sizeof(uint32_t));
	memcpy(buf + AT_UMASK, &checked.umask, sizeof(uint32_t));
	memcpy(buf + AT_LIMITS, checked.limits,
	       VOL_STEPFRAME_LIMITS * BYTES_LIMIT);
	to = put(buf + VOL_STEPFRAME_HEADER, frame->cwd);
	for (uint32_t i = 0; i < frame->argc; i++)
		to = put(to, frame->argv[i]);
	for (uint32_t i = 0; i < frame->n_env; i++)
		to = put(to, frame->env[i]);
	return buf;
}

int vol_stepframe_header(const char *header, struct vol_stepframe *frame,
			 struct vol_error *err)
{
	struct vol_stepframe parsed = {0};

	if (memcmp(header, MAGIC, MAGIC_SIZE) != 0)
		return vol_errorf_errno(err, EINVAL, "not a request of srun");
	memcpy(&parsed.argc, header + AT_ARGC, sizeof(uint32_t));
	memcpy(&parsed.n_env, header + AT_ENV, sizeof(uint32_t));
	memcpy(&parsed.text_bytes, header + AT_TEXT, sizeof(uint32_t));
	memcpy(&parsed.umask, header + AT_UMASK, sizeof(uint32_t));
	memcpy(parsed.limits, header + AT_LIMITS,
	       VOL_STEPFRAME_LIMITS * BYTES_LIMIT);
	if (check_numbers(&parsed, err) < 0)
		return -1;
	*frame = parsed;
	return 0;
}

/* The text at *at, which then is behind its NUL; NULL at the end. */
static char *next(char **at, char *end)
{
	char *text = *at;
	char *nul =
		text < end ? memchr(text, '\0', (size_t)(end - text)) : NULL;

	if (!nul)
		return NULL;
	*at = nul + 1;
	return text;
}

static int take(char **at, char *end, char **words, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		words[i] = next(at, end);
		if (!words[i])
			return -1;
	}
	words[n] = NULL;
	return 0;
}

int vol_stepframe_text(char *text, struct vol_stepframe *frame,
		       struct vol_error *err)
{
	struct vol_stepframe parsed = *frame;
	char *at = text, *end = text + frame->text_bytes;

	parsed.argv = calloc((size_t)frame->argc + 1, sizeof(char *));
	parsed.env = calloc((size_t)frame->n_env + 1, sizeof(char *));
	if (!parsed.argv || !parsed.env) {
		vol_errorf_errno(err, ENOMEM, "no memory");
		goto error;
	}
	parsed.cwd = next(&at, end);
	if (!parsed.cwd || take(&at, end, parsed.argv, parsed.argc) < 0 ||
	    take(&at, end, parsed.env, parsed.n_env) < 0) {
		vol_errorf_errno(err, EINVAL, "fewer texts than announced");
		goto error;
	}
	if (at != end) {
		vol_errorf_errno(err, EINVAL, "more texts than announced");
		goto error;
	}
	if (parsed.cwd[0] != '/') {
		vol_errorf_errno(err, EINVAL, "the working folder is unknown");
		goto error;
	}
	*frame = parsed;
	return 0;
error:
	vol_stepframe_release(&parsed);
	return -1;
}

void vol_stepframe_release(struct vol_stepframe *frame)
{
	int saved = errno;

	free(frame->argv);
	free(frame->env);
	frame->argv = frame->env = NULL;
	errno = saved;
}
