/* SPDX-License-Identifier: GPL-2.0-or-later */
/* digest.c - SHA-256 by Nettle, on which GnuTLS is built
 *
 * GnuTLS 3.8 does it four times slower, without the instructions that
 * processors have for it, and images are hashed whole several times.
 */
#include "config.h"

#include "digest.h"

#include <errno.h>
#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>

struct vol_digest {
	struct sha256_ctx hash;
};

int vol_sha256(const void *data, size_t len, uint8_t digest[VOL_SHA256_BYTES],
	       struct vol_error *err)
{
	struct vol_digest d;

	sha256_init(&d.hash);
	if (len > 0)
		vol_digest_add(&d, data, len, err);
	vol_digest_take(&d, digest);
	return 0;
}

struct vol_digest *vol_digest_create(struct vol_error *err)
{
	struct vol_digest *d = calloc(1, sizeof(*d));

	if (d)
		sha256_init(&d->hash);
	else
		vol_errorf_errno(err, ENOMEM, "SHA-256: %s", strerror(ENOMEM));
	return d;
}

int vol_digest_add(struct vol_digest *d, const void *data, size_t len,
		   struct vol_error *err)
{
	(void)err;
	sha256_update(&d->hash, len, data);
	return 0;
}

void vol_digest_take(struct vol_digest *d, uint8_t digest[VOL_SHA256_BYTES])
{
	sha256_digest(&d->hash, VOL_SHA256_BYTES, digest);
}

void vol_digest_destroy(struct vol_digest *d)
{
	free(d);
}
