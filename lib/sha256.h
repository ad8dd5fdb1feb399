/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sha256.h - SHA-256 as policy code sees it
 *
 * lib/ links no library of cryptography: who needs a digest takes a function.
 */
#ifndef VOL_SHA256_H
#define VOL_SHA256_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

#define VOL_SHA256_BYTES 32

/* SHA-256 (FIPS 180-4) of len bytes.  0, or -1 when the library says no. */
typedef int (*vol_sha256_f)(const void *data, size_t len,
			    uint8_t digest[VOL_SHA256_BYTES],
			    struct vol_error *err);

#endif
