/* SPDX-License-Identifier: GPL-2.0-or-later */
/* text.c - texts that others wrote: what may be stored, what may be shown */
#include "config.h"

#include "text.h"

#include <errno.h>
#include <string.h>

#define EXCERPT_CHARS 32

const char *vol_text_excerpt(const void *text, size_t len,
			     char buf[VOL_EXCERPT_SIZE])
{
	const unsigned char *p = text;
	size_t n = len < EXCERPT_CHARS ? len : EXCERPT_CHARS;
	char *out = buf;

	*out++ = '"';
	for (size_t i = 0; i < n; i++)
		*out++ = vol_char_printable(p[i]) ? (char)p[i] : '?';
	*out++ = '"';
	strcpy(out, n < len ? "..." : "");
	return buf;
}

bool vol_char_printable(unsigned char c)
{
	return c >= 0x20 && c <= 0x7e;
}

bool vol_char_in(unsigned char c, const char *more)
{
	/* Not isalnum(): the locale must not widen what we accept. */
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || (c && strchr(more, c));
}

bool vol_path_within(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	return strncmp(path, folder, len) == 0 &&
	       (path[len] == '\0' || path[len] == '/');
}

int vol_text_number(const char *text, size_t len, uint64_t min, uint64_t max,
		    uint64_t *number)
{
	uint64_t value = 0;

	if (len == 0 || (len > 1 && text[0] == '0')) {
		errno = EINVAL;
		return -1;
	}
	for (size_t i = 0; i < len; i++) {
		uint64_t digit = (uint64_t)(unsigned char)text[i] - '0';

		if (digit > 9) {
			errno = EINVAL;
			return -1;
		}
		if (value > (UINT64_MAX - digit) / 10) {
			errno = ERANGE;
			return -1;
		}
		value = value * 10 + digit;
	}
	if (value < min || value > max) {
		errno = ERANGE;
		return -1;
	}
	*number = value;
	return 0;
}
