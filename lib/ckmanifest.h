/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckmanifest.h - what a checkpoint says of itself; pure
 *
 * The first thing in the stream of an image, and what the store lists.  It is
 * made by the device that dumps, which nobody controls: whatever it says is a
 * claim, bound to the bytes by the stream that both are in (ckstream.h), to the
 * job by the store, and to the truth by ckverify.h and ckfit.h.
 *
 * Form: one JSON object, members sorted, no spaces, ASCII; exactly the members
 * that the tables of ckmanifest_json.c name, all of them.  What encode writes
 * is the only form that decode takes (it encodes again and compares), so that
 * a digest of it is a name for it.  Paths may hold any byte but control
 * characters; "%" and what is not printable ASCII is written as %xx.
 */
#ifndef VOL_CKMANIFEST_H
#define VOL_CKMANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ckfit.h"
#include "ckplaces.h"
#include "ckproto.h"
#include "clustername.h"
#include "error.h"
#include "names.h"
#include "sha256.h"

#define VOL_CKMANIFEST_VERSION 2

/* A job of 4000 processes has some 16000 image files; a step has at most
 * 4096 tasks unless the owner says otherwise. */
#define VOL_CKFILES_MAX 32768
/* Files of a job's working folder, whose lengths are rolled back. */
#define VOL_CKOUTPUTS_MAX 4096
/* In bytes, encoded: all lists full take 12 MiB. */
#define VOL_CKMANIFEST_MAX (16u << 20)
/* Of one image file, and of all: more than any machine's memory. */
#define VOL_CKBYTES_MAX (UINT64_C(1) << 44)
/* /proc/sys/kernel/random/boot_id and its NUL. */
#define VOL_CKBOOT_SIZE 37

/* Why it was made. */
enum vol_ckcause {
	VOL_CKCAUSE_EVICT,    /* the owner stays: nothing ran after it */
	VOL_CKCAUSE_PERIODIC, /* the job ran on */
	VOL_CKCAUSE_ASKED,    /* the application said it itself, or an admin */
};
/* "evict", "periodic", "asked": as in the text. */
extern const char *const vol_ckcause_names[];

/* A file of the set. */
struct vol_ckfile {
	char name[VOL_CKNAME_SIZE];
	uint64_t bytes;
};

/* A file outside the image that the job writes to: how it was in the frozen
 * moment. */
struct vol_ckoutput {
	char path[VOL_CKPATH_SIZE]; /* as the job names it */
	uint64_t bytes;             /* its length */
};

struct vol_ckmanifest {
	/* Which: of one job, a higher (restarts, sequence) is newer. */
	uint32_t job, step;
	uint32_t restarts; /* SLURM_RESTART_COUNT */
	uint32_t sequence; /* from 1, rising, in one run of the job */
	char cluster[VOL_CLUSTER_NAME_SIZE];
	/* SHA-256 of the encoded manifest before it; zeros: none. */
	uint8_t previous[VOL_SHA256_BYTES];

	/* Where and when it was made. */
	int cause;     /* enum vol_ckcause */
	uint64_t when; /* seconds since 1970 */
	char node[VOL_NODE_NAME_SIZE];
	char device[VOL_DEVICE_ID_SIZE];
	char boot[VOL_CKBOOT_SIZE];
	struct vol_ckmachine machine;

	/* The job inside. */
	uint32_t uid, gid;
	uint32_t id_base; /* host id of its id 0, where it was made */
	uint8_t filter[VOL_SHA256_BYTES]; /* of our seccomp filter */
	uint32_t processes;               /* 0: only files (ckfiles.h) */
	uint64_t memory;                  /* bytes of pages */

	struct vol_ckplaces places;
	struct vol_ckmapped mapped;

	/* Sorted by path and by name (strcmp), each once. */
	size_t n_outputs, n_files;
	struct vol_ckoutput *output;
	struct vol_ckfile *file;
};

#define VOL_CKMANIFEST_INIT \
	{                   \
		.job = 0    \
	}

/* Free the lists; *m is then as VOL_CKMANIFEST_INIT.  Keeps errno. */
void vol_ckmanifest_clear(struct vol_ckmanifest *m);

/* Add one; order does not matter, encode sorts.  EINVAL (name, path), ENOSPC
 * (too many), ENOMEM. */
int vol_ckmanifest_add_file(struct vol_ckmanifest *m,
			    const struct vol_ckfile *file,
			    struct vol_error *err);
int vol_ckmanifest_add_output(struct vol_ckmanifest *m,
			      const struct vol_ckoutput *output,
			      struct vol_error *err);

/* malloc'ed text with a NUL behind its *len bytes.  Sorts the lists of *m
 * first.  NULL: EINVAL for what decode would not take ("member: reason"),
 * EFBIG, ENOMEM. */
char *vol_ckmanifest_encode(struct vol_ckmanifest *m, size_t *len,
			    struct vol_error *err);

/* *m must be empty (INIT or cleared).  EBADMSG "member: reason", EFBIG, ENOMEM;
 * *m is then empty.  Clear it. */
int vol_ckmanifest_decode(const char *text, size_t len,
			  struct vol_ckmanifest *m, struct vol_error *err);

/* The file of that name, NULL: none.  Of a decoded one. */
const struct vol_ckfile *vol_ckmanifest_file(const struct vol_ckmanifest *m,
					     const char *name);

/* All files together. */
uint64_t vol_ckmanifest_bytes(const struct vol_ckmanifest *m);

/* What the one who restores knows from elsewhere. */
struct vol_ckidentity {
	uint32_t job, step;
	const char *cluster;
	uint32_t uid, gid;
	/* Nothing older than this: what the store has as the newest, or the one
	 * before it. */
	uint32_t restarts, sequence;
};

/* Is it an image of this job?  -1 with EPERM: "it is of job 7, and this is job
 * 8". */
int vol_ckmanifest_is_of(const struct vol_ckmanifest *m,
			 const struct vol_ckidentity *id,
			 struct vol_error *err);

/* < 0: a is older; 0: same; > 0: newer. */
int vol_ckmanifest_compare(const struct vol_ckmanifest *a,
			   const struct vol_ckmanifest *b);

#endif
