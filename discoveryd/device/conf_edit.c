/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conf_edit.c - change one line of a configuration file's text; pure */
#include "config.h"

#include "device/conf_edit.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Part of a text. */
struct span {
	const char *begin, *end;
};

/* What a pass over the text found; NULL = not there. */
struct place {
	struct span value;      /* of the key's line */
	struct span line;       /* the key's, with its newline */
	const char *below;      /* end of the commented-out line */
	const char *below_head; /* end of the section's header */
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct span trim(struct span s)
{
	while (s.begin < s.end && is_blank(*s.begin))
		s.begin++;
	while (s.end > s.begin && is_blank(s.end[-1]))
		s.end--;
	return s;
}

static bool equals(struct span s, const char *word)
{
	size_t len = (size_t)(s.end - s.begin);

	return strlen(word) == len && memcmp(s.begin, word, len) == 0;
}

static const char *find(struct span s, char c)
{
	const char *at = memchr(s.begin, c, (size_t)(s.end - s.begin));

	return at ? at : s.end;
}

/* Where the comment behind a value begins, with the blanks before it. */
static const char *find_comment(struct span s)
{
	const char *p;

	for (p = s.begin + 1; p < s.end; p++)
		if (*p == ';' && is_blank(p[-1]))
			break;
	if (p >= s.end)
		return s.end;
	while (p > s.begin && is_blank(p[-1]))
		p--;
	return p;
}

/* Is s "key = value"?  Then *value is what is behind the separator and its
 * blanks, without a comment. */
static bool is_line_of(struct span s, const char *key, struct span *value)
{
	const char *equal = find(s, '='), *colon = find(s, ':');
	const char *separator = equal < colon ? equal : colon;

	if (separator == s.end ||
	    !equals(trim((struct span){s.begin, separator}), key))
		return false;
	*value = (struct span){separator + 1, s.end};
	value->end = find_comment(*value);
	*value = trim(*value);
	return true;
}

static struct span next_line(const char *at, const char *text)
{
	struct span s = {at, strchr(at, '\n')};

	if (!s.end)
		s.end = at + strlen(at);
	/* A byte order mark. */
	if (at == text && strncmp(at, "\xef\xbb\xbf", 3) == 0)
		s.begin += 3;
	return s;
}

static void look(const char *text, const char *section, const char *key,
		 struct place *place)
{
	const char *at, *after;
	struct span line, value;
	bool inside = !*section;

	memset(place, 0, sizeof(*place));
	for (at = text; *at; at = after) {
		line = next_line(at, text);
		after = *line.end ? line.end + 1 : line.end;
		line = trim(line);
		if (line.begin < line.end && *line.begin == '[') {
			line.begin++;
			line.end = find(line, ']');
			inside = equals(line, section);
			if (inside && !place->below_head)
				place->below_head = after;
		} else if (!inside || line.begin == line.end ||
			   *line.begin == '#') {
			continue;
		} else if (*line.begin == ';') {
			line.begin++;
			if (is_line_of(line, key, &value))
				place->below = after;
		} else if (is_line_of(line, key, &value)) {
			place->value = value;
			place->line = (struct span){at, after};
			return;
		}
	}
}

/* What would end the value early or break the line. */
static int check_value(const char *value, struct vol_error *err)
{
	const char *p;

	for (p = value; *p; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return vol_errorf_errno(
				err, EINVAL,
				"control character 0x%02x in the value",
				(unsigned char)*p);
		if ((*p == ';' || *p == '#') && (p == value || is_blank(p[-1])))
			return vol_errorf_errno(
				err, EINVAL,
				"'%c' begins a comment: not in a value", *p);
	}
	if (p > value && (is_blank(*value) || is_blank(p[-1])))
		return vol_errorf_errno(err, EINVAL, "blanks around the value");
	return 0;
}

__attribute__((format(printf, 3, 4))) static char *splice(const char *text,
							  struct span gone,
							  const char *fmt, ...)
{
	char *middle = NULL, *whole = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&middle, fmt, ap);
	va_end(ap);
	if (n < 0)
		return NULL;
	n = asprintf(&whole, "%.*s%s%s", (int)(gone.begin - text), text, middle,
		     gone.end);
	free(middle);
	return n < 0 ? NULL : whole;
}

/* A line of its own at a place where a line ends. */
static char *add_line(const char *text, const char *at, const char *key,
		      const char *value)
{
	struct span here = {at, at};
	bool ended = at == text || at[-1] == '\n';
	bool windows = at - text >= 2 && memcmp(at - 2, "\r\n", 2) == 0;

	return splice(text, here, "%s%s = %s%s\n", ended ? "" : "\n", key,
		      value, windows ? "\r" : "");
}

static char *add_section(const char *text, const char *section, const char *key,
			 const char *value)
{
	const char *end = text + strlen(text);
	bool ended = end == text || end[-1] == '\n';

	return splice(text, (struct span){end, end}, "%s%s[%s]\n%s = %s\n",
		      ended ? "" : "\n", end == text ? "" : "\n", section, key,
		      value);
}

char *vol_conf_edit(const char *text, const char *section, const char *key,
		    const char *value, struct vol_error *err)
{
	struct place place;
	char *edited;

	if (value && check_value(value, err) < 0)
		return NULL;
	look(text, section, key, &place);
	if (!value && !place.line.begin)
		edited = strdup(text);
	else if (!value)
		edited = splice(text, place.line, "%s", "");
	else if (place.line.begin)
		edited = splice(text, place.value, "%s", value);
	else if (place.below)
		edited = add_line(text, place.below, key, value);
	else if (place.below_head)
		edited = add_line(text, place.below_head, key, value);
	else
		edited = add_section(text, section, key, value);
	if (!edited)
		vol_errorf_errno(err, ENOMEM, "out of memory");
	return edited;
}
