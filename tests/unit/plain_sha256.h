/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plain_sha256.h - SHA-256 for tests of code that is given a digest function
 *
 * FIPS 180-4 written down once more, for inputs of a few hundred bytes: so that
 * tests and fuzz harnesses of lib/ need no library of cryptography either.
 */
#ifndef VOL_TEST_PLAIN_SHA256_H
#define VOL_TEST_PLAIN_SHA256_H

#include <stdlib.h>
#include <string.h>

#include "sha256.h"

#define SHA256_INPUT_MAX 1024

static inline uint32_t sha256_rotate(uint32_t x, unsigned n)
{
	return x >> n | x << (32 - n);
}

/* The fractional part of a root of the n-th prime, n from 0: FIPS 180-4 §4.2.2
 * and §5.3.3, computed by bisection in 128-bit integers. */
static inline uint32_t sha256_root(unsigned n, unsigned power)
{
	unsigned prime = 2, divisor;
	unsigned __int128 lo = 0, hi = (unsigned __int128)1 << 37;

	for (;; prime++) {
		for (divisor = 2; divisor < prime && prime % divisor; divisor++)
			;
		if (divisor == prime && n-- == 0)
			break;
	}
	while (hi - lo > 1) {
		unsigned __int128 mid = (lo + hi) / 2, x = mid * mid;

		/* mid / 2^32 is the root. */
		if (power == 3)
			x = x * mid;
		if (x <= (unsigned __int128)prime << (32 * power))
			lo = mid;
		else
			hi = mid;
	}
	return (uint32_t)lo;
}

static inline void sha256_block(uint32_t h[8], const uint8_t *p)
{
	static uint32_t k[64];
	uint32_t w[64], v[8], t1, t2;

	for (unsigned i = 0; i < 64 && !k[63]; i++)
		k[i] = sha256_root(i, 3);
	for (int i = 0; i < 16; i++)
		w[i] = (uint32_t)p[4 * i] << 24 | (uint32_t)p[4 * i + 1] << 16 |
		       (uint32_t)p[4 * i + 2] << 8 | p[4 * i + 3];
	for (int i = 16; i < 64; i++)
		w[i] = (sha256_rotate(w[i - 2], 17) ^
			sha256_rotate(w[i - 2], 19) ^ w[i - 2] >> 10) +
		       w[i - 7] +
		       (sha256_rotate(w[i - 15], 7) ^
			sha256_rotate(w[i - 15], 18) ^ w[i - 15] >> 3) +
		       w[i - 16];
	memcpy(v, h, sizeof(v));
	for (int i = 0; i < 64; i++) {
		t1 = v[7] +
		     (sha256_rotate(v[4], 6) ^ sha256_rotate(v[4], 11) ^
		      sha256_rotate(v[4], 25)) +
		     ((v[4] & v[5]) ^ (~v[4] & v[6])) + k[i] + w[i];
		t2 = (sha256_rotate(v[0], 2) ^ sha256_rotate(v[0], 13) ^
		      sha256_rotate(v[0], 22)) +
		     ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
		memmove(v + 1, v, 7 * sizeof(v[0]));
		v[4] += t1;
		v[0] = t1 + t2;
	}
	for (int i = 0; i < 8; i++)
		h[i] += v[i];
}

static inline int plain_sha256(const void *data, size_t len,
			       uint8_t digest[VOL_SHA256_BYTES],
			       struct vol_error *err)
{
	uint8_t padded[SHA256_INPUT_MAX + 72] = {0};
	size_t size = (len + 9 + 63) / 64 * 64;
	uint32_t h[8];

	(void)err;
	if (len > SHA256_INPUT_MAX)
		abort();
	for (unsigned i = 0; i < 8; i++)
		h[i] = sha256_root(i, 2);
	memcpy(padded, data, len);
	padded[len] = 0x80;
	for (int i = 0; i < 8; i++)
		padded[size - 1 - i] = (uint8_t)((uint64_t)len * 8 >> (8 * i));
	for (size_t at = 0; at < size; at += 64)
		sha256_block(h, padded + at);
	for (int i = 0; i < VOL_SHA256_BYTES; i++)
		digest[i] = (uint8_t)(h[i / 4] >> (24 - 8 * (i % 4)));
	return 0;
}

#endif
