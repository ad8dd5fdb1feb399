/* SPDX-License-Identifier: GPL-2.0-or-later */
/* matrix.h - square matrices over the integers modulo 2^31 - 1, in files
 *
 * Exact arithmetic, so that a result is right or wrong, never "close": the
 * check at the end of a campaign can be proven instead of tuned.
 *
 * File, little-endian: "VOLMAT1\n", u32 n, u32 zero, u64 fingerprint of the
 * elements, then n * n u32 elements below MODULUS in row-major order.
 */
#ifndef MATMUL_MATRIX_H
#define MATMUL_MATRIX_H

#include <stddef.h>
#include <stdint.h>

#define MODULUS    2147483647u /* the Mersenne prime 2^31 - 1 */
#define SIZE_MAX_N 32768u      /* 4 GiB a matrix */

struct matrix {
	uint32_t n;
	uint64_t fingerprint;
	const uint32_t *at; /* row-major, inside the mapping */
	void *map;
	size_t map_size;
};

/* Both print the reason to stderr and return -1 on failure. */
int matrix_generate(const char *path, uint32_t n, uint64_t seed);
int matrix_map(const char *path, struct matrix *m);
void matrix_unmap(struct matrix *m);

/* a * b + acc, kept below 2^62 + 4: since 2^62 = 1 modulo 2^31 - 1, the two
 * top bits are folded back in. */
static inline uint64_t mod_fma(uint64_t acc, uint32_t a, uint32_t b)
{
	acc += (uint64_t)a * b;
	return (acc & ((1ULL << 62) - 1)) + (acc >> 62);
}

/* The canonical element below MODULUS. */
static inline uint32_t mod_reduce(uint64_t acc)
{
	return (uint32_t)(acc % MODULUS);
}

/* splitmix64 (Steele, Lea, Flood 2014): one step of the sequence. */
uint64_t next_random(uint64_t *state);

/* FNV-1a over bytes: finds damage, not malice (the check finds that). */
uint64_t fingerprint(uint64_t sum, const void *data, size_t len);
#define FINGERPRINT_INIT 14695981039346656037ULL

/* Write the parts one after the other to a new file that appears under path
 * as a whole or not at all. */
struct part {
	const void *data;
	size_t len;
};
int write_whole(const char *path, const struct part *parts, size_t n_parts);

#endif
