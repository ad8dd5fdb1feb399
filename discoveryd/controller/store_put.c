/* SPDX-License-Identifier: GPL-2.0-or-later */
/* store_put.c - receive an image: room, bytes, and its name at last */
#include "config.h"

#include "store_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "atomicfile.h"
#include "cleanup.h"
#include "digest.h"
#include "hex.h"

/* So often the disk is told to begin, and asked how full it is: then there is
 * little left to do at the end.  What it was told the time before is through
 * as a rule. */
#define FLUSH_BYTES (16 * 1024 * 1024)

/* What is written at once: a filesystem takes one large piece with less work
 * than many small ones. */
#define OUT_BYTES (1024 * 1024)

struct vol_store_put {
	struct vol_store *s;
	struct vol_image_head head;
	uint64_t announced; /* 0: nothing was */
	uint64_t bytes;     /* of the stream, so far */
	uint64_t index;     /* the next chunk */
	uint64_t at;        /* bytes of the file that were written */
	uint64_t flushed, settled;
	int fd;
	struct vol_seal *seal;
	struct vol_digest *digest;
	size_t filled; /* of chunk */
	size_t staged; /* of out */
	uint8_t chunk[VOL_IMAGE_CHUNK];
	uint8_t sealed[VOL_IMAGE_CHUNK + VOL_IMAGE_TAG];
	uint8_t out[OUT_BYTES];
};

static uint64_t room_for(uint64_t bytes)
{
	return vol_image_file_size(bytes ? bytes : 1);
}

/* ---- begin ---- */

/* Below the lock.  0: there is one of it that is coming. */
static uint32_t next_number(const struct vol_store *s, uint32_t job)
{
	uint32_t number = 1;

	for (size_t i = 0; i < s->n; i++) {
		const struct vol_store_image *image = &s->entries[i].image;

		if (image->head.job != job)
			continue;
		if (image->state == VOL_STORE_COMING)
			return 0;
		number = image->head.number + 1;
	}
	return number;
}

static int reserve(struct vol_store_put *p, struct vol_error *err)
{
	struct vol_store_image image = {.state = VOL_STORE_COMING};
	struct vol_store_entry *e;

	p->head.number = next_number(p->s, p->head.job);
	if (!p->head.number)
		return vol_errorf_errno(err, EBUSY,
					"an image of job %u is coming already",
					(unsigned)p->head.job);
	if (vol_store_make_room(p->s, &p->head, room_for(p->announced), err) <
	    0)
		return -1;
	image.head = p->head;
	image.until = p->head.restarts;
	e = vol_store_add(p->s, &image);
	if (!e)
		return vol_errorf_errno(err, ENOMEM, "out of memory");
	e->room = room_for(p->announced);
	return 0;
}

static int not_written(const struct vol_store_put *p, struct vol_error *err)
{
	return vol_errorf(err,
			  "image of job %u not written: %s; older images stay",
			  (unsigned)p->head.job, strerror(errno));
}

static int write_out(struct vol_store_put *p, struct vol_error *err)
{
	if (vol_write_all(p->fd, p->out, p->staged) < 0)
		return not_written(p, err);
	p->at += p->staged;
	p->staged = 0;
	return 0;
}

static int append(struct vol_store_put *p, const uint8_t *data, size_t len,
		  struct vol_error *err)
{
	while (len > 0) {
		size_t n = OUT_BYTES - p->staged;

		if (n > len)
			n = len;
		memcpy(p->out + p->staged, data, n);
		p->staged += n;
		data += n;
		len -= n;
		if (p->staged == OUT_BYTES && write_out(p, err) < 0)
			return -1;
	}
	return 0;
}

static int sync_folder(const char *path, struct vol_error *err)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		return vol_errorf(err, "%s: %s", path, strerror(errno));
	return 0;
}

static int open_part(struct vol_store_put *p, struct vol_error *err)
{
	uint8_t head[VOL_IMAGE_HEAD];
	char path[PATH_MAX];

	vol_store_path(p->s, p->head.job, 0, VOL_IMAGE_OTHER, path);
	if (mkdir(path, 0700) == 0) {
		if (sync_folder(p->s->dir, err) < 0)
			return -1;
	} else if (errno != EEXIST) {
		return vol_errorf(err, "%s: %s", path, strerror(errno));
	}
	vol_store_path(p->s, p->head.job, p->head.number, VOL_IMAGE_PART, path);
	p->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (p->fd < 0)
		return vol_errorf(err, "%s: %s", path, strerror(errno));
	vol_image_head_put(&p->head, head);
	return append(p, head, sizeof(head), err);
}

struct vol_store_put *vol_store_put_begin(struct vol_store *s,
					  const struct vol_image_head *what,
					  uint64_t bytes, struct vol_error *err)
{
	struct vol_store_put *p = calloc(1, sizeof(*p));
	int rc;

	if (!p) {
		vol_errorf_errno(err, ENOMEM, "out of memory");
		return NULL;
	}
	p->s = s;
	p->fd = -1;
	p->announced = bytes;
	p->head = *what;
	p->head.made = time(NULL);
	if (vol_random(p->head.salt, sizeof(p->head.salt)) < 0) {
		vol_errorf(err, "no random bytes: %s", strerror(errno));
		free(p);
		return NULL;
	}
	pthread_mutex_lock(&s->lock);
	rc = reserve(p, err);
	pthread_mutex_unlock(&s->lock);
	if (rc < 0) {
		free(p);
		return NULL;
	}
	p->digest = vol_digest_create(err);
	p->seal = p->digest ? vol_seal_create(&s->key, &p->head, err) : NULL;
	if (p->seal && open_part(p, err) == 0)
		return p;
	vol_store_put_abort(p);
	return NULL;
}

uint32_t vol_store_put_number(const struct vol_store_put *p)
{
	return p->head.number;
}

/* ---- bytes ---- */

/* Of what was not announced more is reserved than is needed now: to look
 * through all images takes its time. */
#define AHEAD_MAX (64 * 1024 * 1024)

/* Below the lock. */
static int grow(struct vol_store_put *p, uint64_t need, struct vol_error *err)
{
	struct vol_store_entry *e =
		vol_store_find(p->s, p->head.job, p->head.number);
	uint64_t ahead = need / 4 < AHEAD_MAX ? need / 4 : AHEAD_MAX;
	uint64_t room = e->room;

	if (need <= room)
		return 0;
	if (vol_store_make_room(p->s, &p->head, need + ahead - room, NULL) <
	    0) {
		ahead = 0;
		if (vol_store_make_room(p->s, &p->head, need - room, err) < 0)
			return -1;
	}
	/* Others may have moved in the list. */
	e = vol_store_find(p->s, p->head.job, p->head.number);
	e->room = need + ahead;
	return 0;
}

static int account(struct vol_store_put *p, size_t len, struct vol_error *err)
{
	int rc;

	p->bytes += len;
	if (p->announced && p->bytes > p->announced)
		return vol_errorf_errno(err, EFBIG,
					"more than the %llu bytes announced",
					(unsigned long long)p->announced);
	if (p->bytes > VOL_IMAGE_MAX)
		return vol_errorf_errno(err, EFBIG, "more than any image has");
	pthread_mutex_lock(&p->s->lock);
	rc = grow(p, room_for(p->bytes), err);
	vol_store_find(p->s, p->head.job, p->head.number)->image.bytes =
		p->bytes;
	pthread_mutex_unlock(&p->s->lock);
	return rc;
}

static int flush(struct vol_store_put *p, struct vol_error *err)
{
	if (p->at - p->flushed < FLUSH_BYTES)
		return 0;
	/* Only so that it has begun; fsync is what counts. */
	(void)sync_file_range(p->fd, (off_t)p->flushed,
			      (off_t)(p->at - p->flushed),
			      SYNC_FILE_RANGE_WRITE);
	vol_store_uncache(p->fd, p->settled);
	p->settled = p->flushed;
	p->flushed = p->at;
	return vol_store_check_disk(p->s, 0, err);
}

static int write_chunk(struct vol_store_put *p, struct vol_error *err)
{
	if (vol_seal_close(p->seal, p->index++, false, p->chunk, p->filled,
			   p->sealed, err) < 0 ||
	    append(p, p->sealed, p->filled + VOL_IMAGE_TAG, err) < 0)
		return -1;
	p->filled = 0;
	return flush(p, err);
}

int vol_store_put_data(struct vol_store_put *p, const void *data, size_t len,
		       struct vol_error *err)
{
	const uint8_t *from = data;

	if (account(p, len, err) < 0 ||
	    vol_digest_add(p->digest, data, len, err) < 0)
		return -1;
	while (len > 0) {
		size_t n = VOL_IMAGE_CHUNK - p->filled;

		/* A full one waits: it may be the last. */
		if (n == 0) {
			if (write_chunk(p, err) < 0)
				return -1;
			continue;
		}
		if (n > len)
			n = len;
		memcpy(p->chunk + p->filled, from, n);
		p->filled += n;
		from += n;
		len -= n;
	}
	return 0;
}

/* ---- end ---- */

static void put_free(struct vol_store_put *p)
{
	int saved = errno;

	if (p->fd >= 0)
		close(p->fd);
	vol_seal_destroy(p->seal);
	vol_digest_destroy(p->digest);
	free(p);
	errno = saved;
}

void vol_store_put_abort(struct vol_store_put *p)
{
	char path[PATH_MAX];
	int saved = errno;

	if (!p)
		return;
	vol_store_path(p->s, p->head.job, p->head.number, VOL_IMAGE_PART, path);
	(void)unlink(path);
	pthread_mutex_lock(&p->s->lock);
	vol_store_forget(p->s,
			 vol_store_find(p->s, p->head.job, p->head.number));
	pthread_mutex_unlock(&p->s->lock);
	put_free(p);
	errno = saved;
}

static int compare(struct vol_store_put *p, const struct vol_image_tail *tail,
		   struct vol_image_tail *own, struct vol_error *err)
{
	own->bytes = p->bytes;
	vol_digest_take(p->digest, own->sha256);
	if (!p->bytes)
		return vol_errorf_errno(err, EBADMSG, "an empty image");
	if (own->bytes != tail->bytes)
		return vol_errorf_errno(
			err, EBADMSG,
			"%llu bytes came of an image of %llu bytes",
			(unsigned long long)own->bytes,
			(unsigned long long)tail->bytes);
	if (memcmp(own->sha256, tail->sha256, sizeof(own->sha256)) != 0)
		return vol_errorf_errno(err, EBADMSG,
					"the image is not what was sent: its "
					"SHA-256 differs");
	return 0;
}

static int finish_file(struct vol_store_put *p,
		       const struct vol_image_tail *own, struct vol_error *err)
{
	uint8_t plain[VOL_IMAGE_TAIL];

	if (p->filled && write_chunk(p, err) < 0)
		return -1;
	vol_image_tail_put(own, plain);
	if (vol_seal_close(p->seal, p->index, true, plain, sizeof(plain),
			   p->sealed, err) < 0 ||
	    append(p, p->sealed, sizeof(plain) + VOL_IMAGE_TAG, err) < 0 ||
	    write_out(p, err) < 0)
		return -1;
	if (fsync(p->fd) < 0)
		return not_written(p, err);
	vol_store_uncache(p->fd, p->flushed);
	return 0;
}

static int give_name(struct vol_store_put *p, struct vol_error *err)
{
	char part[PATH_MAX], whole[PATH_MAX], folder[PATH_MAX];
	uint32_t job = p->head.job, number = p->head.number;
	int saved;

	vol_store_path(p->s, job, number, VOL_IMAGE_PART, part);
	vol_store_path(p->s, job, number, VOL_IMAGE_WHOLE, whole);
	vol_store_path(p->s, job, 0, VOL_IMAGE_OTHER, folder);
	if (rename(part, whole) < 0)
		return vol_errorf(err, "%s: %s", whole, strerror(errno));
	if (sync_folder(folder, err) == 0)
		return 0;
	saved = errno;
	(void)unlink(whole);
	errno = saved;
	return -1;
}

static void note_whole(struct vol_store_put *p,
		       const struct vol_image_tail *own)
{
	struct vol_store_entry *e;

	pthread_mutex_lock(&p->s->lock);
	e = vol_store_find(p->s, p->head.job, p->head.number);
	e->image.state = VOL_STORE_WHOLE;
	p->s->changes++;
	e->image.bytes = own->bytes;
	memcpy(e->image.sha256, own->sha256, sizeof(own->sha256));
	e->room = vol_image_file_size(own->bytes);
	vol_store_retain(p->s);
	pthread_mutex_unlock(&p->s->lock);
}

int vol_store_put_commit(struct vol_store_put *p,
			 const struct vol_image_tail *tail,
			 struct vol_error *err)
{
	struct vol_image_tail own;

	if (compare(p, tail, &own, err) < 0 || finish_file(p, &own, err) < 0 ||
	    give_name(p, err) < 0) {
		vol_store_put_abort(p);
		return -1;
	}
	note_whole(p, &own);
	put_free(p);
	return 0;
}
