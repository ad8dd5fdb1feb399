/* SPDX-License-Identifier: GPL-2.0-or-later */
/* imagetable.h - which devices can go on with which saved jobs
 *
 * A file that the controller's discoveryd replaces as a whole, beside the node
 * table; byte by byte in slurm-volunteer-nodes(5).  It does not name devices
 * but kinds of machines: the node table says of which kind each device is, and
 * in its header which edition of this file there is.  So the select plugin
 * reads it only when that is another one, and never where no job was saved.
 *
 * A job that is not in it may be started anywhere: it has no image, or one that
 * no device that is known can go on from.
 */
#ifndef VOL_IMAGETABLE_H
#define VOL_IMAGETABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

#define VOL_IMAGETABLE_FILE "images" /* beside VOL_NODETABLE_FILE */
/* Kinds of machines, from 1.  0: nothing is known of it, and it fits nothing.
 * Of one office there are a dozen. */
#define VOL_IMAGETABLE_KINDS 1024
/* Images of more jobs do not fit on a disk. */
#define VOL_IMAGETABLE_JOBS 65536

/* The kinds that can go on from one kind of image: bit kind % 64 of word
 * kind / 64. */
struct vol_imagetable_need {
	uint64_t fits[VOL_IMAGETABLE_KINDS / 64];
};

struct vol_imagetable_job {
	uint32_t job;
	uint32_t need; /* its place in needs */
};

struct vol_imagetable {
	uint32_t edition; /* as in the node table's header, from 1 */
	uint32_t n_jobs, n_needs;
	const struct vol_imagetable_job *jobs; /* ascending, each once */
	const struct vol_imagetable_need *needs;
};

static inline bool vol_imagetable_fits(const struct vol_imagetable_need *need,
				       uint32_t kind)
{
	return kind > 0 && kind < VOL_IMAGETABLE_KINDS &&
	       need->fits[kind / 64] >> kind % 64 & 1;
}

/* NULL: the job is not in it. */
const struct vol_imagetable_need *vol_imagetable_find(
	const struct vol_imagetable *t, uint32_t job);

/* The file's bytes, malloc'ed; NULL: no memory. */
void *vol_imagetable_encode(const struct vol_imagetable *t, size_t *len);
/* *t points into buf (aligned as by malloc).  -1 with EINVAL and the reason:
 * nothing but what encode writes is taken; *t is untouched then. */
int vol_imagetable_decode(const void *buf, size_t len, struct vol_imagetable *t,
			  struct vol_error *err);

/* The file at path, if it is trusted (trusted.h).  *buf is to be freed.  -1:
 * EINVAL, EPERM, or errno of open(2), read(2), malloc(3). */
int vol_imagetable_read(const char *path, struct vol_imagetable *t, void **buf,
			struct vol_error *err);

#endif
