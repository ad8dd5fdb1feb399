/* SPDX-License-Identifier: GPL-2.0-or-later */
/* digest.c - SHA-256 by GnuTLS */
#include "config.h"

#include "digest.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>

int vol_sha256(const void *data, size_t len, uint8_t digest[VOL_SHA256_BYTES],
	       struct vol_error *err)
{
	int r = gnutls_hash_fast(GNUTLS_DIG_SHA256, len ? data : "", len,
				 digest);

	if (r < 0)
		return vol_errorf_errno(err, ENOTSUP, "SHA-256: %s",
					gnutls_strerror(r));
	return 0;
}

struct vol_digest {
	gnutls_hash_hd_t hash;
};

struct vol_digest *vol_digest_create(struct vol_error *err)
{
	struct vol_digest *d = calloc(1, sizeof(*d));
	int r = d ? gnutls_hash_init(&d->hash, GNUTLS_DIG_SHA256)
		  : GNUTLS_E_MEMORY_ERROR;

	if (r < 0) {
		free(d);
		vol_errorf_errno(err, ENOTSUP, "SHA-256: %s",
				 gnutls_strerror(r));
		return NULL;
	}
	return d;
}

int vol_digest_add(struct vol_digest *d, const void *data, size_t len,
		   struct vol_error *err)
{
	int r = gnutls_hash(d->hash, data, len);

	if (r < 0)
		return vol_errorf_errno(err, ENOTSUP, "SHA-256: %s",
					gnutls_strerror(r));
	return 0;
}

void vol_digest_take(struct vol_digest *d, uint8_t digest[VOL_SHA256_BYTES])
{
	gnutls_hash_output(d->hash, digest);
}

void vol_digest_destroy(struct vol_digest *d)
{
	if (!d)
		return;
	gnutls_hash_deinit(d->hash, NULL);
	free(d);
}
