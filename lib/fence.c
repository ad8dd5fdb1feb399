/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fence.c - two clocks that never let one job run twice */
#include "config.h"

#include "fence.h"

void vol_fence_acked(struct vol_fence *f, uint64_t sent_ms, uint32_t lease_ms)
{
	/* Answers that overtake each other must not move the clock back. */
	if (f->armed && sent_ms < f->acked_ms)
		return;
	f->armed = true;
	f->acked_ms = sent_ms;
	f->lease_ms = lease_ms;
}

enum vol_fence_state vol_fence_look(const struct vol_fence *f, uint64_t now_ms,
				    uint64_t *next_ms)
{
	uint64_t park_ms = f->acked_ms + f->lease_ms / 2;
	uint64_t kill_ms =
		f->acked_ms + f->lease_ms - vol_fence_margin(f->lease_ms);

	*next_ms = UINT64_MAX;
	if (!f->armed)
		return VOL_FENCE_OK;
	if (now_ms >= kill_ms)
		return VOL_FENCE_KILL;
	*next_ms = now_ms >= park_ms ? kill_ms : park_ms;
	return now_ms >= park_ms ? VOL_FENCE_PARK : VOL_FENCE_OK;
}

uint32_t vol_fence_margin(uint32_t lease_ms)
{
	uint32_t most = lease_ms / 5 * 2, margin = lease_ms / 5;

	if (margin < VOL_FENCE_MARGIN_MIN_MS)
		margin = VOL_FENCE_MARGIN_MIN_MS;
	return margin < most ? margin : most;
}
