/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conf.c - typed INI configuration from one table (inih underneath)
 *
 * inih cuts the text into sections, keys and values; what it would do silently
 * is refused or undone in conf_reader before it sees a line:
 *  - a line longer than its buffer would go on as another line;
 *  - an indented line would continue the value before it;
 *  - text behind "[section]" and a section without keys would go unseen.
 * Left as they are: '#' and ';' start a comment line, " ;" starts a comment
 * behind a value, ':' works as '=', and a section may be opened again (its
 * keys still may not be given again).
 *
 * Values are collected beside the object and stored only when all are right.
 */
#include "config.h"

#include "conf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ini.h>
#include <jansson.h>

#include "atomicfile.h"
#include "cleanup.h"
#include "conf_value.h"

#define FILE_MAX_BYTES (64 * 1024)

/* inih's INI_MAX_LINE of 200 less "\r\n" and NUL; its buffer is on the stack
 * of the library, so this is not ours to choose. */
#define LINE_MAX_BYTES 197

/* State of one reading. */
struct reading {
	const struct vol_conf_option *table;
	struct vol_conf_value *values; /* one per row of table */
	const char *name;
	const char *next, *end; /* text that inih has not seen */
	unsigned line;          /* number of the line it sees */
	unsigned failed;        /* line of the first error, 0 = none */
	struct vol_error *err;
};

static size_t count_rows(const struct vol_conf_option *table)
{
	size_t n = 0;

	while (table[n].type != VOL_CONF_END)
		n++;
	return n;
}

/* ---- all values ---- */

static void free_values(const struct vol_conf_option *table,
			struct vol_conf_value *values)
{
	size_t i;

	for (i = 0; values && table[i].type != VOL_CONF_END; i++) {
		if (table[i].type == VOL_CONF_STRING)
			free(values[i].string);
	}
	free(values);
}

/* Malloc'ed values of the defaults. */
static struct vol_conf_value *default_values(
	const struct vol_conf_option *table, struct vol_error *err)
{
	/* One more: calloc(0) may be NULL. */
	struct vol_conf_value *values =
		calloc(count_rows(table) + 1, sizeof(*values));
	const struct vol_conf_option *row;

	if (!values) {
		vol_errorf(err, "%s", strerror(errno));
		return NULL;
	}
	for (row = table; row->type != VOL_CONF_END; row++) {
		if (!row->fallback ||
		    vol_conf_value_parse(row, row->fallback,
					 &values[row - table], err) == 0)
			continue;
		vol_error_prefix(err, "default of %s.%s", row->section,
				 row->key);
		free_values(table, values);
		return NULL;
	}
	return values;
}

static void store_all(const struct vol_conf_option *table,
		      struct vol_conf_value *values, void *object)
{
	size_t i;

	for (i = 0; table[i].type != VOL_CONF_END; i++)
		vol_conf_value_store(&table[i], &values[i], object);
}

int vol_conf_defaults(const struct vol_conf_option *table, void *object,
		      struct vol_error *err)
{
	struct vol_conf_value *values = default_values(table, err);

	if (!values)
		return -1;
	store_all(table, values, object);
	free_values(table, values);
	return 0;
}

/* ---- text ---- */

__attribute__((format(printf, 2, 3))) static int fail(struct reading *r,
						      const char *fmt, ...)
{
	va_list ap;
	char reason[sizeof(r->err->text)];

	/* inih goes on after an error; the first one is the cause. */
	if (r->failed)
		return -1;
	r->failed = r->line;
	va_start(ap, fmt);
	vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	return vol_errorf_errno(r->err, EINVAL, "%s:%u: %s", r->name, r->line,
				reason);
}

static bool has_section(const struct vol_conf_option *table, const char *name,
			size_t len)
{
	for (; table->type != VOL_CONF_END; table++) {
		if (strlen(table->section) == len &&
		    memcmp(table->section, name, len) == 0)
			return true;
	}
	return false;
}

/* "[name]" and at most a comment behind it? */
static int check_header(struct reading *r, const char *line, size_t len)
{
	const char *close = memchr(line, ']', len);
	const char *rest = close ? close + 1 : NULL;
	int shown;

	if (!close)
		return fail(r, "']' is missing");
	while (rest < line + len && (*rest == ' ' || *rest == '\t'))
		rest++;
	if (rest < line + len && *rest != ';' && *rest != '#')
		return fail(r, "text after ']'");
	if (has_section(r->table, line + 1, (size_t)(close - line - 1)))
		return 0;
	shown = (int)(close - line - 1) < 60 ? (int)(close - line - 1) : 60;
	return fail(r, "unknown section [%.*s]", shown, line + 1);
}

static bool is_utf8(const char *s, size_t len)
{
	json_t *probe = json_stringn(s, len); /* checks, NULL if not */

	json_decref(probe);
	return probe;
}

/* Byte order mark, as editors of Windows leave one. */
static bool has_bom(const char *line, size_t len)
{
	return len >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0;
}

/* Line without blanks at either end. */
static int check_line(struct reading *r, const char *line, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (line[i] == '\0' || line[i] == 0x7f ||
		    ((unsigned char)line[i] < 0x20 && line[i] != '\t'))
			return fail(r, "control character 0x%02x",
				    (unsigned char)line[i]);
	}
	if (len == 0 || line[0] == '#' || line[0] == ';')
		return 0;
	if (len > LINE_MAX_BYTES)
		return fail(r, "longer than %d bytes", LINE_MAX_BYTES);
	if (!is_utf8(line, len))
		return fail(r, "not UTF-8");
	if (has_bom(line, len)) /* inih would take off one more */
		return fail(r, "byte order mark");
	if (line[0] == '[')
		return check_header(r, line, len);
	return 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* fgets for inih: next line, trimmed.  Comments come out empty, a line with an
 * error too, since the reading has failed anyway. */
static char *conf_reader(char *buf, int size, void *arg)
{
	struct reading *r = arg;
	const char *line = r->next, *end;
	size_t len;

	if (r->next == r->end)
		return NULL;
	end = memchr(line, '\n', (size_t)(r->end - line));
	r->next = end ? end + 1 : r->end;
	if (!end)
		end = r->end;
	r->line++;
	if (r->line == 1 && has_bom(line, (size_t)(end - line)))
		line += 3;
	while (line < end && is_blank(*line))
		line++;
	while (end > line && is_blank(end[-1]))
		end--;
	len = (size_t)(end - line);
	if (check_line(r, line, len) != 0 || (len > 0 && *line == '#'))
		len = 0;
	if (len > 0 && *line == ';')
		len = 0;
	/* An inih built with a smaller buffer than the usual one. */
	if (len + 2 > (size_t)size) {
		fail(r, "longer than %d bytes", size - 2);
		len = 0;
	}
	memcpy(buf, line, len);
	memcpy(buf + len, "\n", 2);
	return buf;
}

static const struct vol_conf_option *find_row(
	const struct vol_conf_option *table, const char *section,
	const char *key)
{
	for (; table->type != VOL_CONF_END; table++) {
		if (strcmp(table->section, section) == 0 &&
		    strcmp(table->key, key) == 0)
			return table;
	}
	return NULL;
}

/* A '#' behind a value is a comment in other INI dialects and a part of the
 * value in this one: better asked than guessed. */
static bool has_hash_comment(const char *value)
{
	const char *hash = value;

	while ((hash = strchr(hash, '#'))) {
		if (hash == value || is_blank(hash[-1]))
			return true;
		hash++;
	}
	return false;
}

/* inih's handler: non-zero is success. */
static int conf_handler(void *arg, const char *section, const char *key,
			const char *text)
{
	struct reading *r = arg;
	const struct vol_conf_option *row;
	struct vol_error reason = {""};
	struct vol_conf_value *v, parsed;

	if (r->failed)
		return 0;
	if (!*section && !has_section(r->table, "", 0))
		return fail(r, SHOWN ": no [section] above", key) == 0;
	row = find_row(r->table, section, key);
	if (!row)
		return fail(r, "unknown key '" SHOWN "' in [%s]", key,
			    section) == 0;
	v = &r->values[row - r->table];
	if (v->given)
		return fail(r, "%s: given twice", key) == 0;
	if (!text || has_hash_comment(text))
		return fail(r, "%s: a comment behind a value starts with ' ;'",
			    key) == 0;
	if (vol_conf_value_parse(row, text, &parsed, &reason) != 0)
		return fail(r, "%s: %s", key, reason.text) == 0;
	if (row->type == VOL_CONF_STRING)
		free(v->string);
	*v = parsed;
	v->given = true;
	return 1;
}

int vol_conf_parse(const struct vol_conf_option *table, const char *name,
		   const char *text, size_t len, void *object,
		   struct vol_error *err)
{
	struct reading r = {
		.table = table,
		.name = name,
		.next = text,
		.end = text + len,
		.err = err,
	};
	int line;

	if (len > FILE_MAX_BYTES)
		return vol_errorf_errno(err, EFBIG, "%s: larger than %d bytes",
					name, FILE_MAX_BYTES);
	r.values = default_values(table, err);
	if (!r.values)
		return -1;
	line = ini_parse_stream(conf_reader, &r, conf_handler, &r);
	/* A line that inih could not split may be before the one that failed
	 * here; below zero it found no memory. */
	if (line != 0 && (!r.failed || (unsigned)line < r.failed)) {
		r.failed = 0;
		r.line = line > 0 ? (unsigned)line : r.line;
		fail(&r, line > 0 ? "neither 'key = value' nor '[section]'"
				  : "out of memory");
	}
	if (!r.failed)
		store_all(table, r.values, object);
	free_values(table, r.values);
	return r.failed ? -1 : 0;
}

/* ---- file ---- */

static int check_file(int fd, const char *path, struct vol_error *err)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return vol_errorf(err, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return vol_errorf_errno(err, EINVAL, "%s: not a regular file",
					path);
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return vol_errorf_errno(err, EPERM,
					"%s: must belong to root or uid %u",
					path, (unsigned)geteuid());
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return vol_errorf_errno(
			err, EPERM,
			"%s: must not be writable by group or others", path);
	return 0;
}

int vol_conf_read(const struct vol_conf_option *table, const char *path,
		  void *object, struct vol_error *err)
{
	/* O_NONBLOCK: a FIFO is refused, not waited for. */
	cleanup_fd int fd =
		open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	cleanup_free char *text = NULL;
	size_t len;

	if (fd < 0)
		return vol_errorf(err, "%s: %s", path, strerror(errno));
	if (check_file(fd, path, err) != 0)
		return -1;
	text = vol_file_read_fd(fd, path, FILE_MAX_BYTES, &len, err);
	if (!text)
		return -1;
	return vol_conf_parse(table, path, text, len, object, err);
}

/* ---- one option by name ---- */

static bool names_row(const struct vol_conf_option *row, const char *key)
{
	size_t len = strlen(row->section);

	return strcmp(row->key, key) == 0 ||
	       (strncmp(key, row->section, len) == 0 && key[len] == '.' &&
		strcmp(key + len + 1, row->key) == 0);
}

int vol_conf_set(const struct vol_conf_option *table, const char *key,
		 const char *value, void *object, struct vol_error *err)
{
	const struct vol_conf_option *row, *found = NULL;
	struct vol_conf_value parsed;

	for (row = table; row->type != VOL_CONF_END; row++) {
		if (!names_row(row, key))
			continue;
		if (found)
			return vol_errorf_errno(
				err, EINVAL,
				"%s: in more than one section: write %s.%s or %s.%s",
				key, found->section, key, row->section, key);
		found = row;
	}
	if (!found)
		return vol_errorf_errno(err, ENOENT, "unknown key '" SHOWN "'",
					key);
	if (vol_conf_value_parse(found, value, &parsed, err) != 0)
		return vol_error_prefix(err, "%s", key);
	vol_conf_value_store(found, &parsed, object);
	return 0;
}

void vol_conf_clear(const struct vol_conf_option *table, void *object)
{
	int saved = errno;
	char **string;

	for (; table->type != VOL_CONF_END; table++) {
		if (table->type != VOL_CONF_STRING)
			continue;
		string = vol_conf_field(object, table);
		free(*string);
		*string = NULL;
	}
	errno = saved;
}
