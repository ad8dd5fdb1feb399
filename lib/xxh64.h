/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xxh64.h - a fast sum of a file's bytes; pure
 *
 * XXH64 with seed 0, as the xxHash specification (doc/xxhash_spec.md of
 * Cyan4973/xxHash, version 0.1.1) has it.  It tells whether bytes are the same
 * where nobody tries to deceive: two other contents agree once in 2^64.  No
 * digest: sha256.h.
 */
#ifndef VOL_XXH64_H
#define VOL_XXH64_H

#include <stddef.h>
#include <stdint.h>

struct vol_xxh64 {
	uint64_t lane[4];
	uint64_t bytes;
	uint8_t rest[32];
	size_t n_rest;
};

void vol_xxh64_begin(struct vol_xxh64 *h);
/* data may be NULL when len is 0. */
void vol_xxh64_add(struct vol_xxh64 *h, const void *data, size_t len);
/* Of all so far; more may be added afterwards. */
uint64_t vol_xxh64_sum(const struct vol_xxh64 *h);

#endif
