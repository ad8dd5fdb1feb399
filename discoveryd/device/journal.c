/* SPDX-License-Identifier: GPL-2.0-or-later */
/* journal.c - what happened to the owner's machine, for `volunteer log`
 *
 * The file is opened for each event: there are a few an hour, and one that was
 * removed or could not be made begins anew by itself.
 */
#include "config.h"

#include "device/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "atomicfile.h"
#include "cleanup.h"
#include "log.h"
#include "text.h"

#define FILE_NAME  "owner.log"
#define FILE_BYTES (VOL_JOURNAL_BYTES / 2)
/* 200 events fit into one reply over the control socket. */
#define TEXT_SIZE 200

struct vol_journal {
	char path[PATH_MAX - sizeof(".1")], older[PATH_MAX];
	bool failed; /* and said so */
};

struct vol_journal *vol_journal_create(const char *state_dir,
				       struct vol_error *err)
{
	struct vol_journal *j = calloc(1, sizeof(*j));
	int n;

	if (!j) {
		vol_errorf(err, "out of memory");
		return NULL;
	}
	n = snprintf(j->path, sizeof(j->path), "%s/%s", state_dir, FILE_NAME);
	if (n < 0 || (size_t)n >= sizeof(j->path)) {
		vol_errorf_errno(err, ENAMETOOLONG, "%s: %s", state_dir,
				 strerror(ENAMETOOLONG));
		vol_journal_destroy(j);
		return NULL;
	}
	snprintf(j->older, sizeof(j->older), "%s.1", j->path);
	return j;
}

void vol_journal_destroy(struct vol_journal *j)
{
	int saved = errno;

	free(j);
	errno = saved;
}

/* ---- writing ---- */

/* What JSON would escape or a terminal obey is replaced, so that a line is no
 * longer than its text. */
static void make_plain(char *s)
{
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			*s = '\'';
		else if (!vol_char_printable((unsigned char)*s))
			*s = '?';
	}
}

/* "\n{...}\n"; malloc'ed. */
static char *make_line(const char *what, const char *text, size_t *len)
{
	struct timespec now;
	json_t *event;
	char *line = NULL, *dump = NULL;
	int n;

	clock_gettime(CLOCK_REALTIME, &now);
	event = json_pack("{s:I, s:s, s:s}", "time_ms",
			  (json_int_t)now.tv_sec * 1000 + now.tv_nsec / 1000000,
			  "what", what, "text", text);
	if (event)
		dump = json_dumps(event, JSON_COMPACT);
	json_decref(event);
	if (!dump)
		return NULL;
	n = asprintf(&line, "\n%s\n", dump);
	free(dump);
	*len = n < 0 ? 0 : (size_t)n;
	return n < 0 ? NULL : line;
}

static int open_file(const char *path)
{
	return open(path,
		    O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK |
			    O_CLOEXEC,
		    0600);
}

/* Does the file end inside a line that a power failure cut? */
static bool is_cut(int fd, off_t size)
{
	char last;

	return size > 0 && pread(fd, &last, 1, size - 1) == 1 && last != '\n';
}

/* One write, so that a line is there as a whole or not. */
static int append(const struct vol_journal *j, const char *line, size_t len)
{
	cleanup_fd int fd = open_file(j->path);
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -1;
	if ((size_t)st.st_size + len > FILE_BYTES) {
		close(steal_fd(&fd));
		if (rename(j->path, j->older) < 0)
			return -1;
		fd = open_file(j->path);
		if (fd < 0 || fstat(fd, &st) < 0)
			return -1;
	}
	/* The leading newline is for a cut line only. */
	if (!is_cut(fd, st.st_size)) {
		line++;
		len--;
	}
	n = write(fd, line, len);
	if (n >= 0 && (size_t)n != len)
		errno = ENOSPC;
	return n >= 0 && (size_t)n == len ? 0 : -1;
}

void vol_journal_add(struct vol_journal *j, const char *what, const char *fmt,
		     ...)
{
	cleanup_free char *line = NULL;
	char text[TEXT_SIZE];
	size_t len = 0;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	make_plain(text);
	line = make_line(what, text, &len);
	if (line && append(j, line, len) == 0) {
		j->failed = false;
		return;
	}
	if (!j->failed)
		vol_warn("%s: %s", j->path, strerror(errno));
	j->failed = true;
}

/* ---- reading ---- */

static bool is_event(const json_t *event)
{
	return json_is_integer(json_object_get(event, "time_ms")) &&
	       json_is_string(json_object_get(event, "what")) &&
	       json_is_string(json_object_get(event, "text"));
}

/* The last n events of both files; files that are missing or are not ours add
 * nothing. */
static void read_events(const char *path, json_t *list, size_t n)
{
	cleanup_free char *text = NULL;
	const char *line, *end;
	json_t *event;
	size_t len;

	text = vol_file_read(path, VOL_JOURNAL_BYTES, &len, NULL);
	for (line = text; line && line < text + len; line = end + 1) {
		end = memchr(line, '\n', (size_t)(text + len - line));
		if (!end)
			end = text + len;
		event = json_loadb(line, (size_t)(end - line), 0, NULL);
		if (is_event(event))
			json_array_append(list, event);
		json_decref(event);
		if (json_array_size(list) > n)
			json_array_remove(list, 0);
	}
}

json_t *vol_journal_tail(struct vol_journal *j, size_t n)
{
	json_t *list = json_array();

	if (!list)
		return NULL;
	read_events(j->older, list, n);
	read_events(j->path, list, n);
	return list;
}
