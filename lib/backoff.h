/* SPDX-License-Identifier: GPL-2.0-or-later */
/* backoff.h - exponential backoff with full jitter
 *
 * Waits are drawn uniformly from [min, ceiling] while the ceiling doubles from
 * min to max: after a power cut 10 000 devices must not knock together
 * ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
 */
#ifndef VOL_BACKOFF_H
#define VOL_BACKOFF_H

#include <stdint.h>

struct vol_backoff {
	uint64_t min_ms, max_ms, ceiling_ms;
	uint64_t state; /* of the generator; any value */
};

/* seed: e.g. from getrandom(2); tests pass a constant. */
void vol_backoff_init(struct vol_backoff *b, uint64_t min_ms, uint64_t max_ms,
		      uint64_t seed);

/* How long to wait before the next try, in ms. */
uint64_t vol_backoff_next(struct vol_backoff *b);

/* After success: start from min again. */
void vol_backoff_reset(struct vol_backoff *b);

#endif
