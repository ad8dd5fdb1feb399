/* SPDX-License-Identifier: GPL-2.0-or-later */
/* imagefile.h - the file that keeps one image of a job, as bytes; pure
 *
 * An image is a stream of bytes; what is in it is not known here.  At rest:
 *
 *  head     VOL_IMAGE_HEAD bytes, in the clear:
 *             0  8  "VOLIMG2\n"
 *             8  4  job          12  4  number
 *            16  4  restarts     20  4  uid of the job's user
 *            24  8  when it was received, s since the epoch
 *            32 32  salt: random, of this file alone
 *            64 32  identity of the device that sent it, hex
 *            96 64  name of its node, padded with NUL
 *           160 32  zero
 *           192    the machine of that device (ckmachine.h), padded with NUL
 *  chunks   VOL_IMAGE_CHUNK bytes of the stream each, the last one 1 or more;
 *           each encrypted and followed by VOL_IMAGE_TAG bytes
 *  tail     VOL_IMAGE_TAIL bytes, encrypted as the chunk after the last one:
 *             0  8  bytes of the stream
 *             8 32  SHA-256 of the stream
 *           followed by VOL_IMAGE_TAG bytes
 *
 * Numbers are little-endian.  AES-256-GCM (NIST SP 800-38D).  The key of a file
 * is HKDF-SHA256 (RFC 5869) of the store's key with the salt; so each key
 * encrypts one file, and its nonces need only differ within that: index of the
 * chunk (8 bytes, big-endian), then 0 0 0 and 1 for the tail, 0 for the rest.
 * Associated data of each chunk: the whole head.  So a chunk that was moved
 * within a file or to another one, a head that was edited, and a file that was
 * cut or continued do not open.
 */
#ifndef VOL_IMAGEFILE_H
#define VOL_IMAGEFILE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "ckmachine.h"
#include "error.h"
#include "names.h"
#include "sha256.h"

#define VOL_IMAGE_HEAD  (192 + VOL_CKMACHINE_TEXT)
#define VOL_IMAGE_CHUNK 65536
#define VOL_IMAGE_TAG   16
#define VOL_IMAGE_TAIL  (8 + VOL_SHA256_BYTES)
#define VOL_IMAGE_SALT  32
#define VOL_IMAGE_NONCE 12
/* Longest stream: 1 PiB, which no disk of ours holds. */
#define VOL_IMAGE_MAX (UINT64_C(1) << 50)

/* Whose image it is. */
struct vol_image_head {
	uint32_t job; /* Slurm's number of the job or array task */
	uint32_t number;
	uint32_t restarts; /* of the job, when it was made */
	uint32_t uid;
	time_t made;
	uint8_t salt[VOL_IMAGE_SALT];
	char device[VOL_DEVICE_ID_SIZE];
	char node[VOL_NODE_NAME_SIZE];
	struct vol_ckmachine machine; /* zeroed: not known */
};

void vol_image_head_put(const struct vol_image_head *head,
			uint8_t bytes[VOL_IMAGE_HEAD]);
/* Strict.  -1 with EBADMSG, *head untouched. */
int vol_image_head_get(const uint8_t bytes[VOL_IMAGE_HEAD],
		       struct vol_image_head *head, struct vol_error *err);

/* What follows from the size of a file. */
struct vol_image_shape {
	uint64_t bytes;  /* of the stream, from 1 */
	uint64_t chunks; /* the tail's index */
	uint32_t last;   /* bytes of the stream in the last one */
};
/* -1 with EBADMSG: no complete image has this size. */
int vol_image_shape(uint64_t file_size, struct vol_image_shape *shape,
		    struct vol_error *err);
/* The size of a file with a stream of so many bytes. */
uint64_t vol_image_file_size(uint64_t bytes);
/* Where a chunk begins; of index chunks: the tail. */
uint64_t vol_image_offset(uint64_t index);

void vol_image_nonce(uint64_t index, bool tail, uint8_t nonce[VOL_IMAGE_NONCE]);

struct vol_image_tail {
	uint64_t bytes;
	uint8_t sha256[VOL_SHA256_BYTES];
};
void vol_image_tail_put(const struct vol_image_tail *tail,
			uint8_t bytes[VOL_IMAGE_TAIL]);
void vol_image_tail_get(const uint8_t bytes[VOL_IMAGE_TAIL],
			struct vol_image_tail *tail);

/* Names: CHECKPOINT_DIR/JOB/NUMBER.image, and NUMBER.part while it is being
 * received. */
enum vol_image_name { VOL_IMAGE_OTHER, VOL_IMAGE_WHOLE, VOL_IMAGE_PART };
#define VOL_IMAGE_NAME_SIZE 20
const char *vol_image_name(uint32_t number, enum vol_image_name kind,
			   char name[VOL_IMAGE_NAME_SIZE]);
enum vol_image_name vol_image_name_parse(const char *name, uint32_t *number);
/* A folder's name; 0 if it is none. */
uint32_t vol_image_job_parse(const char *name);

#endif
