/* SPDX-License-Identifier: GPL-2.0-or-later */
/* store_private.h - between the files of the store
 *
 * store.c has the index, store_put.c and store_get.c move bytes.  The index is
 * below the lock; files are read and written without it.
 */
#ifndef VOL_STORE_PRIVATE_H
#define VOL_STORE_PRIVATE_H

#include <limits.h>
#include <pthread.h>

#include "seal.h"
#include "store.h"

struct vol_store_entry {
	struct vol_store_image image;
	uint64_t room;    /* bytes of its file, or what is reserved for it */
	time_t live_till; /* its job was live then */
};

struct vol_store {
	char *dir;
	struct vol_seal_key key;
	/* Below lock. */
	pthread_mutex_t lock;
	struct vol_store_limits limits;
	uint64_t changes;                /* of images and their states */
	struct vol_store_entry *entries; /* owned; by job and number */
	size_t n;
};

/* "DIR/JOB/NAME", or without a kind "DIR/JOB". */
void vol_store_path(const struct vol_store *s, uint32_t job, uint32_t number,
		    enum vol_image_name kind, char path[PATH_MAX]);

/* The next ones with the lock held. */

struct vol_store_entry *vol_store_find(struct vol_store *s, uint32_t job,
				       uint32_t number);
/* NULL without memory.  There must be none yet. */
struct vol_store_entry *vol_store_add(struct vol_store *s,
				      const struct vol_store_image *image);
/* It is not there any more; its file is the caller's matter. */
void vol_store_forget(struct vol_store *s, struct vol_store_entry *e);
/* Unlink it, and forget it. */
int vol_store_drop(struct vol_store *s, struct vol_store_entry *e,
		   struct vol_error *err);
/* So many bytes more for an image of this job are to come (put_begin's errors);
 * what ckretain.h gives up for it goes, and, if the disk is in the way, what
 * the new one makes superfluous. */
int vol_store_make_room(struct vol_store *s, const struct vol_image_head *what,
			uint64_t more, struct vol_error *err);
/* What is superfluous goes; what can not be removed is logged. */
void vol_store_retain(struct vol_store *s);

/* The rest needs no lock. */

/* The page cache need not keep the file's first bytes any more, so far as they
 * are on the disk: an image is read once or never, and what the machine has
 * cached for others is not to go for it. */
void vol_store_uncache(int fd, uint64_t bytes);

/* -1 with ENOSPC: the disk has no room for so many bytes more. */
int vol_store_check_disk(const struct vol_store *s, uint64_t more,
			 struct vol_error *err);

/* The head of an image's file, and its tail; what follows from its size. *image
 * is untouched on error. */
int vol_store_peek(const struct vol_store *s, int fd, uint32_t job,
		   uint32_t number, struct vol_store_image *image,
		   struct vol_image_shape *shape, struct vol_error *err);

#endif
