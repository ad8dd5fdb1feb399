/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ration.c - so many at once, then one more each so many ms */
#include "config.h"

#include "ration.h"

void vol_ration_refill(struct vol_ration *r, uint64_t every_ms, uint64_t now_ms)
{
	uint64_t back;

	if (!r->spent || now_ms < r->since_ms)
		return;
	back = (now_ms - r->since_ms) / every_ms;
	r->since_ms += back * every_ms;
	r->spent = back < r->spent ? r->spent - (uint32_t)back : 0;
}

bool vol_ration_take(struct vol_ration *r, uint32_t most, uint64_t every_ms,
		     uint64_t now_ms)
{
	vol_ration_refill(r, every_ms, now_ms);
	if (r->spent >= most)
		return false;
	/* The first one begins to come back now. */
	if (!r->spent++)
		r->since_ms = now_ms;
	return true;
}
