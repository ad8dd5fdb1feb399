/* SPDX-License-Identifier: GPL-2.0-or-later */
/* source.c - the user's script: where it comes from and what runs it */
#include "config.h"

#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cleanup.h"
#include "words.h"

/* More than any slurmctld takes: only keeps us from reading /dev/zero. */
#define SOURCE_MAX (512u << 20)

static int read_all(struct vb_source *s, int fd, const char *what,
		    struct vol_error *err)
{
	size_t room = 0;

	for (;;) {
		ssize_t n;

		if (s->size + 1 >= room) {
			char *grown;

			room = room ? room * 2 : 1 << 16;
			grown = realloc(s->text, room);
			if (!grown)
				return vol_errorf(err, "out of memory");
			s->text = grown;
		}
		n = read(fd, s->text + s->size, room - s->size - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return vol_errorf(err, "cannot read %s: %s", what,
					  strerror(errno));
		if (n == 0)
			break;
		s->size += (size_t)n;
		if (s->size > SOURCE_MAX)
			return vol_errorf_errno(err, EFBIG,
						"%s is too large for a batch "
						"script",
						what);
	}
	s->text[s->size] = '\0';
	return 0;
}

/* Split "#! /usr/bin/env  python3 -u" as the kernel does: one word, and the
 * rest as one argument. */
static int read_interpreter(struct vb_source *s, const char *what,
			    struct vol_error *err)
{
	const char *p = s->text + 2;
	const char *end = p + strcspn(p, "\n");
	size_t n;

	p += strspn(p, " \t");
	while (end > p && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	n = strcspn(p, " \t\n");
	if (n == 0)
		return vol_errorf_errno(err, EINVAL,
					"%s: no interpreter behind #!", what);
	/* Without a slash the kernel looks in the working directory, a shell
	 * along PATH. */
	if (asprintf(&s->interpreter, "%s%.*s", memchr(p, '/', n) ? "" : "./",
		     (int)n, p) < 0)
		return vol_errorf(err, "out of memory");
	p += n;
	p += strspn(p, " \t");
	if (p < end) {
		s->argument = strndup(p, (size_t)(end - p));
		if (!s->argument)
			return vol_errorf(err, "out of memory");
	}
	return 0;
}

static int check(struct vb_source *s, const char *what, struct vol_error *err)
{
	if (strspn(s->text, " \t\n\v\f\r") == s->size)
		return vol_errorf_errno(err, EINVAL,
					"%s: the batch script is empty", what);
	if (strncmp(s->text, "#!", 2) != 0)
		return vol_errorf_errno(
			err, EINVAL,
			"%s does not look like a batch script: its first line "
			"must be #! and the path of an interpreter, as in "
			"#!/bin/sh",
			what);
	if (memchr(s->text, '\0', s->size))
		return vol_errorf_errno(err, EINVAL,
					"%s holds a NULL character, which "
					"Slurm does not allow",
					what);
	if (memmem(s->text, s->size, "\r\n", 2))
		return vol_errorf_errno(err, EINVAL,
					"%s has DOS line breaks (\\r\\n) "
					"instead of UNIX line breaks (\\n)",
					what);
	return read_interpreter(s, what, err);
}

/* A file that can be the script; directories are passed over. */
static int open_file(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -1;
	if (S_ISDIR(st.st_mode)) {
		errno = EISDIR;
		return -1;
	}
	return open(path, O_RDONLY | O_CLOEXEC);
}

static int open_script(const char *word)
{
	const char *path = getenv("PATH");
	int fd = open_file(word);

	if (fd >= 0 || errno != ENOENT || word[0] == '.' || word[0] == '/')
		return fd;
	while (path && *path) {
		cleanup_free char *candidate = NULL;
		size_t n = strcspn(path, ":");

		if (n &&
		    asprintf(&candidate, "%.*s/%s", (int)n, path, word) < 0)
			return -1;
		if (candidate && (fd = open_file(candidate)) >= 0)
			return fd;
		path += n + (path[n] == ':');
	}
	errno = ENOENT;
	return -1;
}

static int source_read(struct vb_source *s, const char *word,
		       struct vol_error *err)
{
	cleanup_fd int fd = -1;
	const char *slash;

	if (!word) {
		if (read_all(s, STDIN_FILENO, "the standard input", err) < 0)
			return -1;
		return check(s, "the standard input", err);
	}
	fd = open_script(word);
	if (fd < 0)
		return vol_errorf(err, "cannot open the script %s: %s", word,
				  strerror(errno));
	if (read_all(s, fd, word, err) < 0)
		return -1;
	slash = strrchr(word, '/');
	s->name = strdup(slash ? slash + 1 : word);
	if (!s->name)
		return vol_errorf(err, "out of memory");
	return check(s, word, err);
}

int vb_source_read(struct vb_source *s, const char *word, struct vol_error *err)
{
	memset(s, 0, sizeof(*s));
	if (source_read(s, word, err) == 0)
		return 0;
	vb_source_free(s);
	return -1;
}

int vb_source_wrap(struct vb_source *s, const struct vol_matrix *m,
		   const char *command, struct vol_error *err)
{
	FILE *out;

	memset(s, 0, sizeof(*s));
	out = open_memstream(&s->text, &s->size);
	if (!out)
		return vol_errorf(err, "out of memory");
	fputs("#!/bin/sh\n# From vbatch --wrap; {NAME} became ${NAME}.\n\n",
	      out);
	vb_words_wrap(out, m, command);
	fputs("\n", out);
	if (fclose(out) != 0 || !(s->name = strdup("wrap"))) {
		vb_source_free(s);
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	}
	if (check(s, "--wrap", err) == 0)
		return 0;
	vb_source_free(s);
	return -1;
}

void vb_source_free(struct vb_source *s)
{
	int saved = errno;

	free(s->text);
	free(s->name);
	free(s->interpreter);
	free(s->argument);
	memset(s, 0, sizeof(*s));
	errno = saved;
}
