/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xxh64.c - a fast sum of a file's bytes; pure */
#include "config.h"

#include "xxh64.h"

#include <endian.h>
#include <string.h>

#define STRIPE 32

/* The specification's. */
#define PRIME1 UINT64_C(0x9e3779b185ebca87)
#define PRIME2 UINT64_C(0xc2b2ae3d27d4eb4f)
#define PRIME3 UINT64_C(0x165667b19e3779f9)
#define PRIME4 UINT64_C(0x85ebca77c2b2ae63)
#define PRIME5 UINT64_C(0x27d4eb2f165667c5)

static uint64_t rotate(uint64_t value, int bits)
{
	return value << bits | value >> (64 - bits);
}

static uint64_t read64(const uint8_t *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return le64toh(value);
}

static uint64_t read32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return le32toh(value);
}

static uint64_t round_of(uint64_t lane, uint64_t input)
{
	return rotate(lane + input * PRIME2, 31) * PRIME1;
}

static void take_stripe(struct vol_xxh64 *h, const uint8_t *at)
{
	for (int i = 0; i < 4; i++)
		h->lane[i] = round_of(h->lane[i], read64(at + 8 * i));
}

void vol_xxh64_begin(struct vol_xxh64 *h)
{
	*h = (struct vol_xxh64){
		.lane = {PRIME1 + PRIME2, PRIME2, 0, 0 - PRIME1}};
}

void vol_xxh64_add(struct vol_xxh64 *h, const void *data, size_t len)
{
	const uint8_t *at = data;
	size_t n;

	h->bytes += len;
	if (h->n_rest > 0) {
		n = STRIPE - h->n_rest;
		n = len < n ? len : n;
		if (n > 0)
			memcpy(h->rest + h->n_rest, at, n);
		h->n_rest += n;
		len -= n;
		if (h->n_rest < STRIPE)
			return;
		at += n;
		take_stripe(h, h->rest);
		h->n_rest = 0;
	}
	for (; len >= STRIPE; at += STRIPE, len -= STRIPE)
		take_stripe(h, at);
	if (len > 0)
		memcpy(h->rest, at, len);
	h->n_rest = len;
}

static uint64_t converge(const struct vol_xxh64 *h)
{
	uint64_t sum = rotate(h->lane[0], 1) + rotate(h->lane[1], 7) +
		       rotate(h->lane[2], 12) + rotate(h->lane[3], 18);

	if (h->bytes < STRIPE)
		return PRIME5;
	for (int i = 0; i < 4; i++)
		sum = (sum ^ round_of(0, h->lane[i])) * PRIME1 + PRIME4;
	return sum;
}

uint64_t vol_xxh64_sum(const struct vol_xxh64 *h)
{
	uint64_t sum = converge(h) + h->bytes;
	const uint8_t *at = h->rest;
	size_t left = h->n_rest;

	for (; left >= 8; at += 8, left -= 8)
		sum = rotate(sum ^ round_of(0, read64(at)), 27) * PRIME1 +
		      PRIME4;
	for (; left >= 4; at += 4, left -= 4)
		sum = rotate(sum ^ read32(at) * PRIME1, 23) * PRIME2 + PRIME3;
	for (; left > 0; at++, left--)
		sum = rotate(sum ^ *at * PRIME5, 11) * PRIME1;
	sum = (sum ^ sum >> 33) * PRIME2;
	sum = (sum ^ sum >> 29) * PRIME3;
	return sum ^ sum >> 32;
}
