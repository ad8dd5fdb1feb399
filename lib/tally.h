/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tally.h - how often something happened lately, in little room; pure
 *
 * A week in slots of three hours: what is asked of a day or a week is right to
 * that.  Times are Unix seconds; one before the newest slot counts as that.
 */
#ifndef VOL_TALLY_H
#define VOL_TALLY_H

#include <stdint.h>

#define VOL_TALLY_SLOT_S 10800
#define VOL_TALLY_SLOTS  56

struct vol_tally {
	uint32_t total;
	uint32_t newest;                 /* slot: seconds / VOL_TALLY_SLOT_S */
	int64_t last;                    /* 0: never */
	uint16_t slots[VOL_TALLY_SLOTS]; /* slot n is at n % VOL_TALLY_SLOTS */
};

void vol_tally_add(struct vol_tally *t, int64_t now);

/* Within the last day or week before now. */
uint32_t vol_tally_day(const struct vol_tally *t, int64_t now);
uint32_t vol_tally_week(const struct vol_tally *t, int64_t now);

#endif
