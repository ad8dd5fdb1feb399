/* SPDX-License-Identifier: GPL-2.0-or-later */
/* images_private.h - between the files of images
 *
 * images.c: connections and jobs, on the loop.  images_folder.c: where they are
 * kept.  images_move.c: what a thread does.  images_sweep.c: which jobs there
 * still are.
 */
#ifndef VOL_IMAGES_PRIVATE_H
#define VOL_IMAGES_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <systemd/sd-event.h>

#include "conn.h"
#include "controller.h"
#include "images.h"
#include "store.h"

/* One device may use so many places: it may run several jobs. */
#define VOL_IMAGES_EACH 2

/* A connection whose job is being looked up; the registrar's until then. */
struct vol_image_ask {
	struct vol_errand errand; /* first */
	struct vol_images *im;    /* NULL: nobody waits for it any more */
	struct vol_image_ask *next;
	struct vol_conn *conn; /* owned */
	struct vol_link_msg msg;
	char device[VOL_DEVICE_ID_SIZE];
	sd_event_source *timer;
	/* Of the registrar's thread. */
	struct vol_slurm_job job;
	int error; /* 0, or errno of vol_slurm_job_get */
	struct vol_error why;
};

enum vol_image_deed { VOL_IMAGE_PUT, VOL_IMAGE_GET, VOL_IMAGE_VERIFY };

/* What a thread has to do, and what came of it. */
struct vol_image_move {
	struct vol_images *im;
	struct vol_image_move *next;
	enum vol_image_deed deed;
	pthread_t thread;
	struct vol_store *store;
	int stop; /* eventfd, owned; readable: come to an end */
	/* PUT, GET */
	struct vol_tls *tls; /* owned, with fd */
	int fd;
	char address[VOL_ADDRESS_SIZE + 20];
	struct vol_image_head head; /* all but number, made, salt */
	uint64_t announced;
	uint32_t before;
	/* The result; of VERIFY bytes is what is done so far. */
	uint32_t number;
	_Atomic uint64_t bytes;
	uint64_t took_ms;
	int error; /* 0: done */
	struct vol_error why;
	atomic_bool done;
	uint8_t chunk[VOL_IMAGE_CHUNK];
};

struct vol_images {
	struct vol_controller *c;
	struct vol_store *store;      /* NULL: it can not be opened now */
	struct vol_error no_store;    /* why */
	struct vol_image_ask *asks;   /* those that wait for an answer */
	struct vol_image_move *moves; /* owned */
	struct vol_errand *sweep;     /* at the registrar, or NULL */
	int done;                     /* eventfd: a thread is */
	sd_event_source *wake, *sweep_timer;
	/* The last verification. */
	uint32_t verify_job, verify_number;
	uint64_t verify_bytes; /* done */
	struct vol_error verify_why;
};

/* The thread's whole work; with the descriptor closed. */
void vol_image_move_run(struct vol_image_move *m);

/* Try to open the store, if there is none; say so when that changes. */
void vol_images_open(struct vol_images *im);

/* As controller.conf says; the folder must be that of before, if there was one.
 * ENODEV: it is not. */
struct vol_store *vol_images_open_store(const struct vol_images *im,
					struct vol_error *err);
void vol_images_limits(const struct vol_images *im,
		       struct vol_store_limits *limits);

/* Begin to look now and then which jobs there are.  End before the store. */
int vol_images_sweep_begin(struct vol_images *im, struct vol_error *err);
void vol_images_sweep_end(struct vol_images *im);

#endif
