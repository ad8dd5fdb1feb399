/* SPDX-License-Identifier: GPL-2.0-or-later */
/* image.h - the parts of slurm-volunteer-image (image.c) */
#ifndef VOL_IMAGE_H
#define VOL_IMAGE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "ckmanifest.h"
#include "device/carrier.h"
#include "error.h"
#include "names.h"

/* Exit status. */
enum {
	IMAGE_DONE,
	IMAGE_FAILED,
	IMAGE_USAGE,
	IMAGE_REFUSED,
	IMAGE_NONE,
	IMAGE_UNMOVABLE,
	IMAGE_UNFIT,
};

struct image_options {
	const char *verb, *what; /* file, cgroup or folder */
	const char *conf, *controller, *places, *stream, *programs, *criu,
		*walls, *node, *cause;
	bool progress, files, pre;
	/* UINT64_MAX: not said. */
	uint64_t job, restarts, uid, gid, bytes, before, wait_ms;
	uint64_t signal, grace_ms; /* 0: none */
	int server; /* socket of a slurm-volunteer-checkpoint serve, -1 */
};

/* This device, and the way to its controller. */
struct image {
	const struct image_options *o;
	struct vol_carrier carrier; /* its stop: a signal, or halt */
	int halt;                   /* eventfd */
	char state_dir[PATH_MAX];
	char cluster[VOL_NODE_NAME_SIZE]; /* "": not known */
	char device[VOL_DEVICE_ID_SIZE];
	/* Of the stream, so far. */
	uint64_t moved;
	const char *stage; /* for what --progress prints, NULL: none */
};

uint64_t image_now_ms(void);

/* Print it if that was asked for, once a second at most. */
void image_progress(struct image *im, uint64_t bytes, bool always);

/* After what failed with errno: may another try be better?  Waits for that. */
bool image_again(const struct image *im);

/* Of what the carrier said. */
int image_status(const struct image *im);

/* Exit status.  err: unless that is IMAGE_DONE. */
int image_save(struct image *im, struct vol_error *err);
int image_load(struct image *im, struct vol_error *err);

/* image_files.c - Of an image without processes: is it one, and may all of its
 * files be made by a machine that has room bytes for them?  -1 with EPERM,
 * EBADMSG, ENOTSUP or ENOMEM. */
int image_files_check(const struct vol_ckmanifest *m, const char *record,
		      size_t record_len, uint64_t room, struct vol_error *err);

#endif
