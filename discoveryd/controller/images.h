/* SPDX-License-Identifier: GPL-2.0-or-later */
/* images.h - devices bring and fetch images of jobs
 *
 * A connection that begins with image_put or image_get (link.h) is taken from
 * the door; slurmctld is asked for the job, and then a thread of its own serves
 * it to its end: at most VOL_IMAGES_MOVING at once, two of a device.  Put: only
 * by the device on whose node, and no other, the job runs, of the run that is.
 * Get: by the one on whose node alone it runs now, and only images of earlier
 * runs.
 *
 * Images of jobs that slurmctld has not had among its pending and running ones
 * for checkpoint_keep are removed.
 *
 * A folder that can not be used (a disk that is not mounted, or broken) is said
 * once, and tried again every minute; until then everybody is refused, as
 * no_store.  A checkpoint_dir that had images once (STATE_DIR/checkpoint_dir
 * says which) and is without its key now is such a folder: an empty one is made
 * a store only the first time.
 */
#ifndef VOL_IMAGES_H
#define VOL_IMAGES_H

#include <jansson.h>

#include "error.h"
#include "link.h"

struct vol_conn;
struct vol_controller;
struct vol_images;
struct vol_store;

/* Each holds a TLS session, two chunks and a small stack, some 400 KiB; more of
 * them at once do not make a disk or a network faster. */
#define VOL_IMAGES_MOVING 8
/* Connections whose job is being looked up. */
#define VOL_IMAGES_ASKING 32

/* The registrar must be there. */
struct vol_images *vol_images_create(struct vol_controller *c,
				     struct vol_error *err);
/* Before the registrar goes.  NULL-safe. */
void vol_images_destroy(struct vol_images *im);
/* controller.conf was read again. */
void vol_images_reload(struct vol_images *im);

/* This device is revoked: nothing of it goes on. */
void vol_images_revoke(struct vol_images *im, const char *device);

/* A peer that has proven its key says IMAGE_PUT or IMAGE_GET.  Takes the
 * connection over. */
void vol_images_serve(struct vol_images *im, struct vol_conn *conn,
		      const struct vol_link_msg *msg);

/* Which of the store's there are: images, a list of objects with job, number,
 * restarts, uid, node, device, bytes, made_at, state, live and checked_at (0:
 * not since it came), those after this job and number; more: there are others.
 * Of all of them: used, quota and user_quota, bytes of files. */
json_t *vol_images_list(struct vol_images *im, uint32_t after_job,
			uint32_t after_number, struct vol_error *err);

/* Read one as a whole.  begin: EBUSY while another one is read.  The state of
 * the last: job, number, running, done and bytes (of the stream), state, reason
 * ("" or why it is damaged). */
int vol_images_verify(struct vol_images *im, uint32_t job, uint32_t number,
		      struct vol_error *err);
json_t *vol_images_verified(struct vol_images *im, struct vol_error *err);

/* Is there a store?  -1 with ENODEV and why not. */
int vol_images_check_store(const struct vol_images *im, struct vol_error *err);
/* For who only looks; NULL: there is none.  NULL-safe. */
struct vol_store *vol_images_store(struct vol_images *im);

/* The job had to leave, but stays: what was saved of its run after so many
 * restarts is behind what it does from now on.  Images of earlier runs stay,
 * too.  -1: it may not be gone, which is in the log.  NULL-safe. */
int vol_images_forget(struct vol_images *im, uint32_t job, uint32_t restarts);

/* Nothing of the job ran in the run after so many restarts.  NULL-safe. */
void vol_images_spare(struct vol_images *im, uint32_t job, uint32_t restarts);

/* As vol_store_remove; with neither job nor age those of jobs that slurmctld
 * has not any more.  removed: how many. */
json_t *vol_images_prune(struct vol_images *im, uint32_t job, uint64_t older_s,
			 struct vol_error *err);

#endif
