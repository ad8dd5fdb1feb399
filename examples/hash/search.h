/* SPDX-License-Identifier: GPL-2.0-or-later */
/* search.h - nonces whose SHA-256 begins with zero bits
 *
 * The digest is of TEXT followed by the nonce in decimal, so that any other
 * program can check a hit: printf '%s%s' TEXT NONCE | sha256sum
 */
#ifndef HASH_SEARCH_H
#define HASH_SEARCH_H

#include <stdint.h>

struct search {
	const char *text;
	unsigned bits;       /* leading zero bits wanted, 1..64 */
	uint64_t begin, end; /* nonces begin <= n < end */
};

/* Called for every hit in ascending order; hex is the digest. Non-zero ends
 * the search and is returned. */
typedef int (*hit_f)(uint64_t nonce, const char *hex, void *arg);

/* 0 at the end of the range, -1 if the library fails, or what hit returned. */
int search_run(const struct search *s, hit_f hit, void *arg);

/* Is this nonce a hit? 1, 0, or -1 as above. */
int search_check(const struct search *s, uint64_t nonce);

#endif
