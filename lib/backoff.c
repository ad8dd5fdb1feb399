/* SPDX-License-Identifier: GPL-2.0-or-later */
/* backoff.c - exponential backoff with full jitter */
#include "config.h"

#include "backoff.h"

/* SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number
 * generators", 2014): any seed will do, which getrandom's failure needs too. */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

void vol_backoff_init(struct vol_backoff *b, uint64_t min_ms, uint64_t max_ms,
		      uint64_t seed)
{
	b->min_ms = min_ms;
	b->max_ms = max_ms > min_ms ? max_ms : min_ms;
	b->state = seed;
	vol_backoff_reset(b);
}

uint64_t vol_backoff_next(struct vol_backoff *b)
{
	uint64_t span;

	/* Doubled before the draw: the first wait is spread as well. */
	if (b->ceiling_ms >= b->max_ms - b->ceiling_ms)
		b->ceiling_ms = b->max_ms;
	else
		b->ceiling_ms = b->ceiling_ms ? b->ceiling_ms * 2 : 1;
	span = b->ceiling_ms - b->min_ms;
	if (span == UINT64_MAX)
		return next_random(&b->state);
	/* The bias of % is below span / 2^64. */
	return b->min_ms + next_random(&b->state) % (span + 1);
}

void vol_backoff_reset(struct vol_backoff *b)
{
	b->ceiling_ms = b->min_ms;
}
