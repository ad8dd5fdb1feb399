/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ration.h - so many at once, then one more each so many ms: a token bucket
 *
 * Pure; the clock is any that does not go back, in ms.
 */
#ifndef VOL_RATION_H
#define VOL_RATION_H

#include <stdbool.h>
#include <stdint.h>

/* Zeroed: all are left. */
struct vol_ration {
	uint32_t spent;
	uint64_t since_ms; /* spent was that much then */
};

/* Count what has come back by now; every_ms: not 0. */
void vol_ration_refill(struct vol_ration *r, uint64_t every_ms,
		       uint64_t now_ms);

/* Take one of at most so many; false: there is none left. */
bool vol_ration_take(struct vol_ration *r, uint32_t most, uint64_t every_ms,
		     uint64_t now_ms);

#endif
