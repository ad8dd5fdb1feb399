/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fence.h - two clocks that never let one job run twice; pure
 *
 * The controller gives a silent device up lease_ms after it heard it last, and
 * Slurm starts its jobs elsewhere.  The device counts from an earlier moment:
 * when it sent the last ping that was answered, which the controller can not
 * have heard before.  So with clocks that run at the same speed, the device is
 * always first:
 *
 *	device      sent            sent + lease/2     sent + lease - margin
 *	            |---------------|------------------|
 *	            ping            park               kill
 *	controller   heard >= sent                          heard + lease: DOWN
 *
 * margin is a fifth of the lease and at least VOL_FENCE_MARGIN_MIN_MS, but
 * never more than two fifths: time for SIGKILL to work on a loaded machine and
 * for two clocks to drift (crystals differ by less than 0.01 %).  Both sides
 * use CLOCK_BOOTTIME.
 */
#ifndef VOL_FENCE_H
#define VOL_FENCE_H

#include <stdbool.h>
#include <stdint.h>

#define VOL_FENCE_MARGIN_MIN_MS 1000

struct vol_fence {
	bool armed; /* a controller has ever welcomed us */
	uint64_t acked_ms;
	uint32_t lease_ms;
};

enum vol_fence_state { VOL_FENCE_OK, VOL_FENCE_PARK, VOL_FENCE_KILL };

/* A ping (or the hello) that was sent at sent_ms was answered. */
void vol_fence_acked(struct vol_fence *f, uint64_t sent_ms, uint32_t lease_ms);

/* next_ms: when the answer changes by time alone; UINT64_MAX = never. */
enum vol_fence_state vol_fence_look(const struct vol_fence *f, uint64_t now_ms,
				    uint64_t *next_ms);

uint32_t vol_fence_margin(uint32_t lease_ms);

#endif
