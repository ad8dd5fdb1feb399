/* SPDX-License-Identifier: GPL-2.0-or-later */
/* seal.h - encrypt and open the chunks of an image (imagefile.h), by GnuTLS */
#ifndef VOL_SEAL_H
#define VOL_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "imagefile.h"

/* The store's key: 32 random bytes as a line of hex digits in a file that only
 * its owner may read. */
struct vol_seal_key {
	uint8_t byte[32];
};

/* Read path, or make a key and store it there, durably, before it is used.
 * What is there is never overwritten: others who may read it (EPERM) or damage
 * (EBADMSG) are errors.  Wipe it with explicit_bzero. */
int vol_seal_key_load(const char *path, struct vol_seal_key *key,
		      struct vol_error *err);

struct vol_seal;

/* For the file with this head.  ENOTSUP, ENOMEM. */
struct vol_seal *vol_seal_create(const struct vol_seal_key *key,
				 const struct vol_image_head *head,
				 struct vol_error *err);
/* NULL-safe. */
void vol_seal_destroy(struct vol_seal *s);

/* out: len + VOL_IMAGE_TAG bytes.  Each index once. */
int vol_seal_close(struct vol_seal *s, uint64_t index, bool tail,
		   const void *plain, size_t len, uint8_t *out,
		   struct vol_error *err);
/* len: with the tag; out: without.  EBADMSG when it is not what was closed. */
int vol_seal_open(struct vol_seal *s, uint64_t index, bool tail,
		  const uint8_t *sealed, size_t len, void *out,
		  struct vol_error *err);

#endif
