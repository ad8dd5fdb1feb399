/* SPDX-License-Identifier: GPL-2.0-or-later */
/* store_get.c - read an image, and find out whether it still is one
 *
 * Each chunk is authenticated with its place and its file, and so is the tail,
 * which is behind as many chunks as the file has: when all have opened, it is
 * byte for byte what was received.  Its SHA-256 is not computed again; whoever
 * receives it does.
 */
#include "config.h"

#include "store_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cleanup.h"
#include "log.h"

/* So often what was read leaves the page cache. */
#define UNCACHE_BYTES (16 * 1024 * 1024)

struct vol_store_get {
	struct vol_store *s;
	struct vol_store_image image;
	struct vol_image_shape shape;
	uint64_t index, uncached;
	int fd;
	struct vol_seal *seal;
	uint8_t sealed[VOL_IMAGE_CHUNK + VOL_IMAGE_TAG];
};

/* What became of it, if it is still there. */
static void note(struct vol_store_get *g, enum vol_store_state state)
{
	struct vol_store_entry *e;

	pthread_mutex_lock(&g->s->lock);
	e = vol_store_find(g->s, g->image.head.job, g->image.head.number);
	if (e && e->image.state != VOL_STORE_COMING) {
		g->s->changes += e->image.state != state;
		e->image.state = state;
		e->image.checked = time(NULL);
		if (state == VOL_STORE_WHOLE) {
			e->image.head = g->image.head;
			e->image.bytes = g->image.bytes;
			memcpy(e->image.sha256, g->image.sha256,
			       sizeof(e->image.sha256));
		}
	}
	pthread_mutex_unlock(&g->s->lock);
}

void vol_store_get_end(struct vol_store_get *g)
{
	int saved = errno;

	if (!g)
		return;
	if (g->fd >= 0)
		close(g->fd);
	vol_seal_destroy(g->seal);
	free(g);
	errno = saved;
}

const struct vol_store_image *vol_store_get_image(const struct vol_store_get *g)
{
	return &g->image;
}

/* No file has it. */
static void learn_until(struct vol_store_get *g)
{
	const struct vol_store_entry *e;

	pthread_mutex_lock(&g->s->lock);
	e = vol_store_find(g->s, g->image.head.job, g->image.head.number);
	/* Its number may be another one's by now. */
	if (e && memcmp(e->image.head.salt, g->image.head.salt,
			sizeof(g->image.head.salt)) == 0)
		g->image.until = e->image.until;
	pthread_mutex_unlock(&g->s->lock);
}

/* -1 with EBADMSG: noted as damaged. */
static int open_image(struct vol_store_get *g, uint32_t job, uint32_t number,
		      struct vol_error *err)
{
	char path[PATH_MAX];

	g->image.head.job = job;
	g->image.head.number = number;
	vol_store_path(g->s, job, number, VOL_IMAGE_WHOLE, path);
	g->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (g->fd < 0 && errno != ENOENT)
		return vol_errorf(err, "%s: %s", path, strerror(errno));
	if (g->fd < 0) {
		vol_errorf_errno(err, EBADMSG, "its file is gone");
		goto damaged;
	}
	if (vol_store_peek(g->s, g->fd, job, number, &g->image, &g->shape,
			   err) < 0)
		goto damaged;
	learn_until(g);
	posix_fadvise(g->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	g->seal = vol_seal_create(&g->s->key, &g->image.head, err);
	return g->seal ? 0 : -1;
damaged:
	vol_error_prefix(err, "image %u of job %u", (unsigned)number,
			 (unsigned)job);
	if (errno == EBADMSG)
		note(g, VOL_STORE_DAMAGED);
	return -1;
}

static struct vol_store_get *begin(struct vol_store *s, uint32_t job,
				   uint32_t number, struct vol_error *err)
{
	struct vol_store_get *g = calloc(1, sizeof(*g));

	if (!g) {
		vol_errorf_errno(err, ENOMEM, "out of memory");
		return NULL;
	}
	g->s = s;
	g->fd = -1;
	if (open_image(g, job, number, err) == 0)
		return g;
	vol_store_get_end(g);
	return NULL;
}

/* 0: none. */
static uint32_t choose(struct vol_store *s, uint32_t job, uint32_t uid,
		       uint32_t restarts, uint32_t before)
{
	uint32_t number = 0;

	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < s->n; i++) {
		const struct vol_store_image *image = &s->entries[i].image;

		if (image->head.job == job && image->head.uid == uid &&
		    image->state == VOL_STORE_WHOLE &&
		    image->head.restarts < restarts &&
		    (!before || image->head.number < before))
			number = image->head.number;
	}
	pthread_mutex_unlock(&s->lock);
	return number;
}

struct vol_store_get *vol_store_get_begin(struct vol_store *s, uint32_t job,
					  uint32_t uid, uint32_t restarts,
					  uint32_t before,
					  struct vol_error *err)
{
	struct vol_store_get *g;
	struct vol_error why;
	uint32_t number;

	/* One that turns out to be damaged is not chosen again. */
	while ((number = choose(s, job, uid, restarts, before))) {
		g = begin(s, job, number, &why);
		if (g)
			return g;
		if (errno != EBADMSG) {
			vol_errorf(err, "%s", why.text);
			return NULL;
		}
		vol_err("%s", why.text);
	}
	vol_errorf_errno(err, ENOENT, "there is no image of job %u",
			 (unsigned)job);
	return NULL;
}

struct vol_store_get *vol_store_verify_begin(struct vol_store *s, uint32_t job,
					     uint32_t number,
					     struct vol_error *err)
{
	const struct vol_store_entry *e;
	bool there;

	pthread_mutex_lock(&s->lock);
	e = vol_store_find(s, job, number);
	there = e && e->image.state != VOL_STORE_COMING;
	pthread_mutex_unlock(&s->lock);
	if (!there) {
		vol_errorf_errno(err, ENOENT, "there is no image %u of job %u",
				 (unsigned)number, (unsigned)job);
		return NULL;
	}
	return begin(s, job, number, err);
}

static ssize_t next_chunk(struct vol_store_get *g, uint8_t *buf,
			  struct vol_error *err)
{
	bool last = g->index + 1 == g->shape.chunks;
	size_t len = last ? g->shape.last : VOL_IMAGE_CHUNK;
	size_t sealed = len + VOL_IMAGE_TAG, got = 0;
	off_t at = (off_t)vol_image_offset(g->index);

	while (got < sealed) {
		ssize_t n = pread(g->fd, g->sealed + got, sealed - got,
				  at + (off_t)got);

		if (n < 0 && errno == EINTR)
			continue;
		/* A disk that can not read it has lost it. */
		if (n < 0)
			return vol_errorf_errno(err, EBADMSG, "%s",
						strerror(errno));
		if (n == 0)
			return vol_errorf_errno(err, EBADMSG, "it is cut");
		got += (size_t)n;
	}
	if (vol_seal_open(g->seal, g->index, false, g->sealed, sealed, buf,
			  err) < 0)
		return -1;
	g->index++;
	if ((uint64_t)at - g->uncached >= UNCACHE_BYTES) {
		g->uncached = (uint64_t)at;
		vol_store_uncache(g->fd, g->uncached);
	}
	return (ssize_t)len;
}

ssize_t vol_store_get_data(struct vol_store_get *g,
			   uint8_t buf[VOL_IMAGE_CHUNK], struct vol_error *err)
{
	ssize_t n = 0;

	if (g->index < g->shape.chunks)
		n = next_chunk(g, buf, err);
	else
		note(g, VOL_STORE_WHOLE);
	if (n >= 0)
		return n;
	vol_error_prefix(err, "image %u of job %u",
			 (unsigned)g->image.head.number,
			 (unsigned)g->image.head.job);
	if (errno == EBADMSG)
		note(g, VOL_STORE_DAMAGED);
	return -1;
}
