/* SPDX-License-Identifier: GPL-2.0-or-later */
/* runtime.c - images that are the system of jobs, and their names */
#include "config.h"

#include "runtime.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "text.h"

#define DIGITS (VOL_RUNTIME_SIZE - 1)

static const char *const types[] = {
	[VOL_RUNTIME_SQUASHFS] = "squashfs",
	[VOL_RUNTIME_EROFS] = "erofs",
};

/* Exactly so many. */
static bool are_digits(const char *text, size_t len)
{
	return len == DIGITS && strspn(text, "0123456789abcdef") >= len;
}

const char *vol_runtime_type(enum vol_runtime_kind kind)
{
	return types[kind];
}

int vol_runtime_parse(const char *path, enum vol_runtime_kind *kind,
		      char digest[VOL_RUNTIME_SIZE], struct vol_error *err)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	const char *dot = strrchr(name, '.');
	enum vol_runtime_kind found = VOL_RUNTIME_FOLDER;
	char excerpt[VOL_EXCERPT_SIZE];

	for (int i = VOL_RUNTIME_SQUASHFS; dot && i <= VOL_RUNTIME_EROFS; i++)
		if (strcmp(dot + 1, types[i]) == 0)
			found = (enum vol_runtime_kind)i;
	if (found == VOL_RUNTIME_FOLDER) {
		*kind = found;
		digest[0] = '\0';
		return 0;
	}
	if (!are_digits(name, (size_t)(dot - name)))
		return vol_errorf_errno(
			err, EINVAL,
			"%s: an image file is named by its SHA-256, %d "
			"lower-case hex digits before .%s",
			vol_text_excerpt(name, strlen(name), excerpt), DIGITS,
			types[found]);
	*kind = found;
	memcpy(digest, name, DIGITS);
	digest[DIGITS] = '\0';
	return 0;
}

const char *vol_runtime_of(const char *path)
{
	static const char dir[] = VOL_RUNTIME_DIR "/";
	const char *name = path + sizeof(dir) - 1;

	if (strncmp(path, dir, sizeof(dir) - 1) == 0 &&
	    are_digits(name, strlen(name)))
		return name;
	return "";
}
