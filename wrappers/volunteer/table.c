/* SPDX-License-Identifier: GPL-2.0-or-later */
/* table.c - aligned text for people, from JSON
 *
 * Values come from a daemon that repeats what devices said, so bytes that could
 * drive a terminal are replaced.
 */
#include "config.h"

#include <string.h>

#include "table.h"
#include "units.h"

#define COLUMNS_MAX 16
#define CELL_SIZE   256
#define INDENT_NAME 96

static int ends_in(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && strcmp(s + n - m, end) == 0;
}

const char *vol_table_duration(uint64_t ms, char *buf, size_t size)
{
	uint64_t s = ms / 1000;

	if (s >= 172800)
		s -= s % 3600;
	else if (s >= 3600)
		s -= s % 60;
	return vol_duration_format(s * 1000, buf, size);
}

static void print_number(const char *member, json_int_t value, time_t now,
			 char *buf, size_t size)
{
	uint64_t v = value < 0 ? 0 : (uint64_t)value;

	if (ends_in(member, "last_seen") || ends_in(member, "_at")) {
		if (!v) {
			snprintf(buf, size, "never");
			return;
		}
		vol_table_duration(now > value ? (uint64_t)(now - value) * 1000
					       : 0,
				   buf, size);
		strncat(buf, " ago", size - strlen(buf) - 1);
	} else if (ends_in(member, "_since")) {
		*buf = '\0'; /* 0: it is not known */
		if (v)
			vol_table_duration(
				now > value ? (uint64_t)(now - value) * 1000
					    : 0,
				buf, size);
	} else if (ends_in(member, "_mb")) {
		vol_size_format(v << 20, buf, size);
	} else if (ends_in(member, "_ms")) {
		if (v < 10000)
			vol_duration_format(v, buf, size);
		else
			vol_table_duration(v, buf, size);
	} else if (ends_in(member, "_s")) {
		vol_table_duration(v * 1000, buf, size);
	} else {
		snprintf(buf, size, "%" JSON_INTEGER_FORMAT, value);
	}
}

static void make_printable(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 127)
			*s = '?';
}

static void print_list(const json_t *list, time_t now, char *buf, size_t size)
{
	char cell[CELL_SIZE];
	const json_t *item;
	size_t i, len = 0;

	*buf = '\0';
	json_array_foreach(list, i, item) {
		vol_table_cell("", item, now, cell, sizeof(cell));
		len += (size_t)snprintf(buf + len, size - len, "%s%s",
					i ? "," : "", cell);
		if (len >= size)
			return;
	}
}

const char *vol_table_cell(const char *member, const json_t *value, time_t now,
			   char *buf, size_t size)
{
	switch (value ? (int)json_typeof(value) : -1) {
	case JSON_STRING:
		snprintf(buf, size, "%s", json_string_value(value));
		break;
	case JSON_INTEGER:
		print_number(member, json_integer_value(value), now, buf, size);
		break;
	case JSON_REAL:
		snprintf(buf, size, "%.2f", json_real_value(value));
		break;
	case JSON_TRUE:
		snprintf(buf, size, "yes");
		break;
	case JSON_FALSE:
		snprintf(buf, size, "no");
		break;
	case JSON_ARRAY:
		print_list(value, now, buf, size);
		break;
	default:
		*buf = '\0';
	}
	make_printable(buf);
	if (!*buf)
		snprintf(buf, size, "-");
	return buf;
}

static void print_row(FILE *out, const char *const *cells, const size_t *width,
		      size_t n)
{
	size_t i;

	for (i = 0; i + 1 < n; i++)
		fprintf(out, "%-*s  ", (int)width[i], cells[i]);
	/* The last one is as long as it is: no blanks at the end. */
	fprintf(out, "%s\n", cells[n - 1]);
}

void vol_table_print(FILE *out, const json_t *list,
		     const struct vol_column *columns, time_t now)
{
	char text[COLUMNS_MAX][CELL_SIZE];
	const char *cells[COLUMNS_MAX];
	size_t width[COLUMNS_MAX], n, i, row, len;
	const json_t *item;

	for (n = 0; n < COLUMNS_MAX && columns[n].heading; n++) {
		cells[n] = columns[n].heading;
		width[n] = strlen(columns[n].heading);
	}
	json_array_foreach(list, row, item)
		for (i = 0; i < n; i++) {
			vol_table_cell(columns[i].member,
				       json_object_get(item, columns[i].member),
				       now, text[i], CELL_SIZE);
			len = strlen(text[i]);
			width[i] = len > width[i] ? len : width[i];
		}
	print_row(out, cells, width, n);
	json_array_foreach(list, row, item) {
		for (i = 0; i < n; i++)
			cells[i] = vol_table_cell(
				columns[i].member,
				json_object_get(item, columns[i].member), now,
				text[i], CELL_SIZE);
		print_row(out, cells, width, n);
	}
}

/* Units are shown, so the name need not say them again. */
static void nice_name(const char *outer, const char *key, char *buf,
		      size_t size)
{
	char *p;

	snprintf(buf, size, "%s%s%s", outer, *outer ? " " : "", key);
	if (ends_in(buf, "_ms") || ends_in(buf, "_mb"))
		buf[strlen(buf) - 3] = '\0';
	else if (ends_in(buf, "_s"))
		buf[strlen(buf) - 2] = '\0';
	for (p = buf; *p; p++)
		if (*p == '_')
			*p = ' ';
}

static void walk(FILE *out, const char *outer, const json_t *object, time_t now,
		 size_t *width);

/* A list of objects: "name 1 member", "name 2 member", ... */
static void walk_list(FILE *out, const char *outer, const json_t *list,
		      time_t now, size_t *width)
{
	char name[INDENT_NAME];
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item) {
		snprintf(name, sizeof(name), "%s %zu", outer, i + 1);
		walk(out, name, item, now, width);
	}
}

/* First round measures (out is NULL), second prints. */
static void walk(FILE *out, const char *outer, const json_t *object, time_t now,
		 size_t *width)
{
	char name[INDENT_NAME], cell[CELL_SIZE];
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)object, key, value) {
		nice_name(outer, key, name, sizeof(name));
		if (json_is_object(value)) {
			walk(out, name, value, now, width);
			continue;
		}
		if (json_is_object(json_array_get(value, 0))) {
			walk_list(out, name, value, now, width);
			continue;
		}
		if (!out) {
			if (strlen(name) > *width)
				*width = strlen(name);
			continue;
		}
		if (json_is_string(value) && !*json_string_value(value))
			continue; /* nothing to say */
		fprintf(out, "%-*s  %s\n", (int)*width, name,
			vol_table_cell(key, value, now, cell, sizeof(cell)));
	}
}

void vol_table_print_object(FILE *out, const json_t *object, time_t now)
{
	size_t width = 0;

	walk(NULL, "", object, now, &width);
	walk(out, "", object, now, &width);
}
