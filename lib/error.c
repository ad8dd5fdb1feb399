/* SPDX-License-Identifier: GPL-2.0-or-later */
/* error.c - format reasons into caller-owned memory; allocates nothing */
#include "config.h"

#include "error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ELLIPSIS "..."

/* Mark a text of size bytes as cut, without leaving half a UTF-8 character:
 * reasons travel in JSON, which refuses those. */
static void mark_cut(char *text, size_t size)
{
	size_t end = size - sizeof(ELLIPSIS);

	while (end > 0 && ((unsigned char)text[end] & 0xc0) == 0x80)
		end--;
	memcpy(text + end, ELLIPSIS, sizeof(ELLIPSIS));
}

static int __attribute__((format(printf, 2, 0)))
format_text(struct vol_error *err, const char *fmt, va_list ap)
{
	int saved = errno;
	int n;

	if (err) {
		n = vsnprintf(err->text, sizeof(err->text), fmt, ap);
		if (n < 0)
			err->text[0] = '\0';
		else if ((size_t)n >= sizeof(err->text))
			mark_cut(err->text, sizeof(err->text));
	}
	errno = saved ? saved : EINVAL;
	return -1;
}

int vol_errorf(struct vol_error *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	format_text(err, fmt, ap);
	va_end(ap);
	return -1;
}

int vol_errorf_errno(struct vol_error *err, int errnum, const char *fmt, ...)
{
	va_list ap;

	errno = errnum;
	va_start(ap, fmt);
	format_text(err, fmt, ap);
	va_end(ap);
	return -1;
}

int vol_error_prefix(struct vol_error *err, const char *fmt, ...)
{
	struct vol_error inner;
	va_list ap;
	size_t len;
	int saved = errno;

	if (!err)
		return -1;
	inner = *err;
	va_start(ap, fmt);
	format_text(err, fmt, ap);
	va_end(ap);
	len = strlen(err->text);
	if ((size_t)snprintf(err->text + len, sizeof(err->text) - len, ": %s",
			     inner.text) >= sizeof(err->text) - len)
		mark_cut(err->text, sizeof(err->text));
	errno = saved;
	return -1;
}
