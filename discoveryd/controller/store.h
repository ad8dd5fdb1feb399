/* SPDX-License-Identifier: GPL-2.0-or-later */
/* store.h - images of jobs on the controller's disk
 *
 * DIR/key, and a folder for each job with its images (imagefile.h).  An image
 * is received under a name that is never taken for one, and gets its own once
 * it is complete, verified and on disk; until then the older ones stay.  What a
 * crash left half is removed at the next start.
 *
 * May be called from any thread: those that move images, and the loop, which
 * calls nothing here that reads or writes more than a few hundred bytes, except
 * vol_store_open.
 */
#ifndef VOL_STORE_H
#define VOL_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "error.h"
#include "imagefile.h"

struct vol_store;

/* 0: no limit. */
struct vol_store_limits {
	uint64_t quota, user_quota; /* bytes of files */
};

/* Left to the rest of the controller on the disk of its images. */
#define VOL_STORE_SPARE (64 * 1024 * 1024)
/* Newest images of a job that are kept (ckretain.h): if one can not be
 * restored, there is one more chance. */
#define VOL_STORE_EACH 2

enum vol_store_state {
	VOL_STORE_COMING,  /* being received: not an image yet */
	VOL_STORE_WHOLE,   /* it was verified when it came */
	VOL_STORE_DAMAGED, /* it was looked at since, and is not the same: kept
			    * for an administrator to look at, never given out
			    */
};
const char *vol_store_state_name(enum vol_store_state state);

struct vol_store_image {
	struct vol_image_head head;
	uint64_t bytes; /* of the stream; of one that is coming: so far */
	uint8_t sha256[VOL_SHA256_BYTES];
	uint32_t until; /* nothing of its job has run since, up to the run
			 * after so many restarts: its own, or a later one;
			 * not kept over our restart */
	enum vol_store_state state;
	bool live;      /* its job is pending or runs, or we have not heard */
	time_t checked; /* when all of it was read last; 0: since it came, or
			 * since we started, not */
};

/* Make dir if it is not there, tidy it up, and look at heads and tails. */
struct vol_store *vol_store_open(const char *dir,
				 const struct vol_store_limits *limits,
				 struct vol_error *err);
/* After all puts and gets. NULL-safe. */
void vol_store_close(struct vol_store *s);
void vol_store_limit(struct vol_store *s,
		     const struct vol_store_limits *limits);

/* ---- put ---- */

struct vol_store_put;

/* what: job, restarts, uid, device and node.  bytes: at most so many; 0: not
 * known.  Room is made as of ckretain.h.  EDQUOT: the user's quota is in the
 * way; ENOSPC: that of all, or the disk; EBUSY: one of
 * the same job is coming already. */
struct vol_store_put *vol_store_put_begin(struct vol_store *s,
					  const struct vol_image_head *what,
					  uint64_t bytes,
					  struct vol_error *err);
uint32_t vol_store_put_number(const struct vol_store_put *p);
/* Any len.  EDQUOT, ENOSPC, EFBIG: more than was announced; the put can only be
 * ended then. */
int vol_store_put_data(struct vol_store_put *p, const void *data, size_t len,
		       struct vol_error *err);
/* All was said, and this is what the sender thinks it was; compared, and then
 * it is on disk under its name (EBADMSG when it differs).  Older images that
 * are superfluous go.  Ends the put, whatever the result. */
int vol_store_put_commit(struct vol_store_put *p,
			 const struct vol_image_tail *tail,
			 struct vol_error *err);
/* Nothing is left of it.  NULL-safe. */
void vol_store_put_abort(struct vol_store_put *p);

/* ---- get ---- */

struct vol_store_get;

/* The newest whole image of the job and this user that was made before it had
 * so many restarts, with a number below before (0: any).  ENOENT: none. */
struct vol_store_get *vol_store_get_begin(struct vol_store *s, uint32_t job,
					  uint32_t uid, uint32_t restarts,
					  uint32_t before,
					  struct vol_error *err);
/* What it is; valid until its end. */
const struct vol_store_image *vol_store_get_image(
	const struct vol_store_get *g);
/* The next bytes of the stream, authentic: how many, 0 at the end, where the
 * whole was compared with its digest.  EBADMSG: it is damaged, and so noted. */
ssize_t vol_store_get_data(struct vol_store_get *g,
			   uint8_t buf[VOL_IMAGE_CHUNK], struct vol_error *err);
/* NULL-safe. */
void vol_store_get_end(struct vol_store_get *g);

/* As a get of this one, of whatever user, run and state.  Read to its end it
 * decides about the state. */
struct vol_store_get *vol_store_verify_begin(struct vol_store *s, uint32_t job,
					     uint32_t number,
					     struct vol_error *err);

/* ---- all of them ---- */

/* A copy, by job and number; malloc'ed. NULL with ENOMEM; *n may be 0. */
struct vol_store_image *vol_store_list(struct vol_store *s, size_t *n);
/* Changes whenever list would give another answer but for bytes and live. */
uint64_t vol_store_changes(struct vol_store *s);
/* Bytes of files, with what is reserved. */
uint64_t vol_store_used(struct vol_store *s);

/* The next two are one unlink(2) for each image that goes, on the calling
 * thread; who reads it goes on, and one that is coming stays.  They return how
 * many went, or -1 with the first reason why one did not. */

/* Which of these jobs slurmctld still has, pending or running; of others
 * nothing is known.  Images of those that it has not had for keep_s go. */
struct vol_store_job {
	uint32_t id;
	bool live;
};
int vol_store_sweep(struct vol_store *s, const struct vol_store_job *jobs,
		    size_t n, uint64_t keep_s, struct vol_error *err);

/* All images of a job; with job 0 of all, except the newest of each job that is
 * live.  older_s: only those that came so long ago. */
int vol_store_remove(struct vol_store *s, uint32_t job, uint64_t older_s,
		     struct vol_error *err);

/* Nothing of the job ran in the run after so many restarts: what was good for
 * that is for the next one.  false: there is none such. */
bool vol_store_spare(struct vol_store *s, uint32_t job, uint32_t restarts);

/* Those of a job's run after so many restarts. */
int vol_store_outdate(struct vol_store *s, uint32_t job, uint32_t restarts,
		      struct vol_error *err);

#endif
