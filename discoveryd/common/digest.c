/* SPDX-License-Identifier: GPL-2.0-or-later */
/* digest.c - SHA-256 by GnuTLS */
#include "config.h"

#include "digest.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

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
