/* SPDX-License-Identifier: GPL-2.0-or-later */
/* digest.h - SHA-256, for the pure code that must not know who computes it */
#ifndef VOL_DIGEST_H
#define VOL_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

#define VOL_SHA256_BYTES 32

/* FIPS 180-4.  data may be NULL when len is 0.  Only creating fails, for want
 * of memory. */
int vol_sha256(const void *data, size_t len, uint8_t digest[VOL_SHA256_BYTES],
	       struct vol_error *err);

/* The same of what comes in pieces. */
struct vol_digest;
struct vol_digest *vol_digest_create(struct vol_error *err);
int vol_digest_add(struct vol_digest *d, const void *data, size_t len,
		   struct vol_error *err);
/* Of all that was added; then it is as new. */
void vol_digest_take(struct vol_digest *d, uint8_t digest[VOL_SHA256_BYTES]);
/* NULL-safe. */
void vol_digest_destroy(struct vol_digest *d);

#endif
