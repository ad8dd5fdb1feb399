/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keyvalue.c - lines KEY=VALUE, which our programs write for each other */
#include "config.h"

#include "keyvalue.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "text.h"

static int find_key(const struct vol_keyvalue *format, const char *name,
		    size_t len)
{
	for (int key = 0; key < format->n; key++)
		if (strlen(format->keys[key]) == len &&
		    memcmp(format->keys[key], name, len) == 0)
			return key;
	return -1;
}

static int parse_line(const struct vol_keyvalue *format, const char *line,
		      size_t len, bool *seen, void *arg, struct vol_error *err)
{
	const char *equals = memchr(line, '=', len);
	size_t key_len = equals ? (size_t)(equals - line) : len;
	int key = find_key(format, line, key_len);
	char shown[VOL_EXCERPT_SIZE];

	if (key < 0)
		return vol_errorf(err, "unknown key %s",
				  vol_text_excerpt(line, key_len, shown));
	if (!equals)
		return vol_errorf(err, "%s: no value", format->keys[key]);
	if (seen[key] && key < format->once)
		return vol_errorf(err, "%s: given twice", format->keys[key]);
	seen[key] = true;
	if (format->take(key, equals + 1, len - key_len - 1, arg, err) < 0)
		return vol_error_prefix(err, "%s", format->keys[key]);
	return 0;
}

static int parse_lines(const struct vol_keyvalue *format, const char *name,
		       const char *text, size_t len, void *arg,
		       struct vol_error *err)
{
	const char *end = len ? text + len : text;
	bool seen[VOL_KEYVALUE_KEYS_MAX] = {false};

	for (int line = 1; text < end; line++) {
		const char *eol = memchr(text, '\n', (size_t)(end - text));

		if (!eol)
			return vol_errorf(err, "%s:%d: line without its end",
					  name, line);
		if (parse_line(format, text, (size_t)(eol - text), seen, arg,
			       err) < 0)
			return vol_error_prefix(err, "%s:%d", name, line);
		text = eol + 1;
	}
	for (int key = 0; key < format->once; key++)
		if (!seen[key])
			return vol_errorf(err, "%s: %s: missing", name,
					  format->keys[key]);
	return 0;
}

int vol_keyvalue_parse(const struct vol_keyvalue *format, const char *name,
		       const char *text, size_t len, void *arg,
		       struct vol_error *err)
{
	int rc;

	if (len > format->max)
		rc = vol_errorf(err, "%s: %zu bytes, at most %zu", name, len,
				format->max);
	else
		rc = parse_lines(format, name, text, len, arg, err);
	if (rc < 0)
		errno = EINVAL;
	return rc;
}
