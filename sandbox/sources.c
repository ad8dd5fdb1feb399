/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sources.c - what a copy of /etc was made of (etc.h) */
#include "config.h"

#include "etc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "atomicfile.h"
#include "cleanup.h"

#define NAME "sources"

/* So many would not fit into the tmpfs. */
#define PATHS_MAX (4 << 20)

/* Of the sandbox's own files in the copy, of this code: another number for
 * another one. */
#define VERSION PACKAGE_VERSION " 1"

#define NS_PER_S INT64_C(1000000000)

/* FNV-1a, 64 bits: nobody who could choose what goes in is to be kept out. */
static uint64_t mix(uint64_t hash, const void *data, size_t len)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ p[i]) * UINT64_C(0x100000001b3);
	return hash;
}

static uint64_t mix_text(uint64_t hash, const char *text)
{
	return mix(hash, text, strlen(text) + 1);
}

/* Places below /etc: each needs a folder or a file there. */
static uint64_t mix_places(uint64_t hash, const struct vol_walls_list *list)
{
	struct stat st;

	for (size_t i = 0; i < list->n; i++)
		if (strncmp(list->path[i], "/etc/", 5) == 0) {
			hash = mix_text(hash, list->path[i]);
			hash = mix_text(hash, stat(list->path[i], &st) != 0
						      ? "none"
					      : S_ISDIR(st.st_mode) ? "folder"
								    : "file");
		}
	return hash;
}

static uint64_t mix_policy(const struct vol_sandbox *s)
{
	uint64_t hash = mix_text(UINT64_C(0xcbf29ce484222325), VERSION);

	hash = mix_text(hash, s->walls.image);
	for (size_t i = 0; i < s->walls.etc.n; i++)
		hash = mix_text(hash, s->walls.etc.path[i]);
	return mix_places(mix_places(hash, &s->walls.read), &s->walls.work);
}

static int64_t to_ns(const struct timespec *t)
{
	return t->tv_sec * NS_PER_S + t->tv_nsec;
}

/* NULL: it can not be had. */
static uint64_t mix_stat(uint64_t hash, const struct stat *st)
{
	uint64_t words[9] = {0};

	if (st) {
		words[0] = 1;
		words[1] = st->st_dev;
		words[2] = st->st_ino;
		words[3] = st->st_mode;
		words[4] = st->st_uid;
		words[5] = st->st_gid;
		words[6] = (uint64_t)st->st_size;
		words[7] = (uint64_t)to_ns(&st->st_mtim);
		words[8] = (uint64_t)to_ns(&st->st_ctim);
	}
	return mix(hash, words, sizeof(words));
}

static int append(struct vol_sources *seen, const char *path,
		  struct vol_error *err)
{
	size_t len = strlen(path) + 1;

	if (seen->n + len > PATHS_MAX)
		return vol_errorf_errno(err, EFBIG, "/etc: too many files");
	if (seen->n + len > seen->size) {
		size_t size = 2 * seen->size + 4096 + len;
		char *paths = realloc(seen->paths, size);

		if (!paths)
			return vol_errorf(err, "/etc: %s", strerror(errno));
		seen->paths = paths;
		seen->size = size;
	}
	memcpy(seen->paths + seen->n, path, len);
	seen->n += len;
	return 0;
}

int vol_sources_add(struct vol_sources *seen, const char *path,
		    const struct stat *st, struct vol_error *err)
{
	seen->hash = mix_stat(seen->hash, st);
	if (st && to_ns(&st->st_ctim) > seen->last)
		seen->last = to_ns(&st->st_ctim);
	return append(seen, path, err);
}

int vol_sources_begin(struct vol_sources *seen, const struct vol_sandbox *s,
		      struct vol_error *err)
{
	struct stat st;

	memset(seen, 0, sizeof(*seen));
	seen->hash = mix_policy(s);
	if (fstat(s->etc_fd, &st) != 0)
		return vol_errorf(err, "/etc: %s", strerror(errno));
	return vol_sources_add(seen, ".", &st, err);
}

void vol_sources_free(struct vol_sources *seen)
{
	free(seen->paths);
	memset(seen, 0, sizeof(*seen));
}

bool vol_sources_settled(const struct vol_sources *seen)
{
	struct timespec now;

	return clock_gettime(CLOCK_REALTIME, &now) == 0 &&
	       seen->last < to_ns(&now) - 2 * NS_PER_S;
}

/* The number, then the paths. */
int vol_sources_write(const struct vol_sources *seen, int dir,
		      struct vol_error *err)
{
	cleanup_fd int fd = openat(
		dir, NAME, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 ||
	    write(fd, &seen->hash, sizeof(seen->hash)) !=
		    (ssize_t)sizeof(seen->hash) ||
	    write(fd, seen->paths, seen->n) != (ssize_t)seen->n)
		return vol_errorf(err, "copy of /etc: %s", strerror(errno));
	return 0;
}

bool vol_sources_unchanged(const struct vol_sandbox *s, int dir)
{
	cleanup_fd int fd =
		openat(dir, NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	uint64_t then, now = mix_policy(s);
	cleanup_free char *text = NULL;
	struct vol_error err;
	struct stat st;
	size_t len = 0;

	if (fd >= 0)
		text = vol_file_read_fd(fd, NAME, PATHS_MAX + sizeof(then),
					&len, &err);
	if (!text || len < sizeof(then))
		return false;
	memcpy(&then, text, sizeof(then));
	for (const char *path = text + sizeof(then); path < text + len;
	     path += strlen(path) + 1)
		now = mix_stat(now, fstatat(s->etc_fd, path, &st,
					    AT_SYMLINK_NOFOLLOW) == 0
					    ? &st
					    : NULL);
	return now == then;
}
