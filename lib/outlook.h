/* SPDX-License-Identifier: GPL-2.0-or-later */
/* outlook.h - how long a device will stay available, as a curve; pure
 *
 * What the availability model says, the node table carries and the scorer
 * reads: the chance that a device which is open now is still open after each
 * of 64 spans of time.  The spans grow by the fourth root of two, from one
 * minute to 38 days, since a scheduler cares about minutes when the owner is
 * near and about hours when the owner is far.  Between two points, and between
 * now (certain) and the first, the chance is interpolated linearly in time.
 */
#ifndef VOL_OUTLOOK_H
#define VOL_OUTLOOK_H

#include <stdint.h>

#define VOL_OUTLOOK_POINTS 64
/* One: certain to be open. */
#define VOL_OUTLOOK_ONE UINT16_MAX

struct vol_outlook {
	/* Never rising. */
	uint16_t survive[VOL_OUTLOOK_POINTS];
};

/* Seconds of point i: 60 * 2^(i/4), rounded; the last one's for what is beyond
 * it. */
uint32_t vol_outlook_seconds(unsigned int i);

/* Where s seconds lie between the points, with VOL_OUTLOOK_FRACTION bits of
 * fraction: 0 at the first and before it, (VOL_OUTLOOK_POINTS - 1) <<
 * VOL_OUTLOOK_FRACTION at the last and after it. */
#define VOL_OUTLOOK_FRACTION 8
int32_t vol_outlook_position(uint32_t s);

/* The chance, 0 ... 1, that it is still open in s seconds; after the last point
 * what it is there. */
double vol_outlook_survival(const struct vol_outlook *o, uint32_t s);

/* For how long it stays open with at least this chance; UINT32_MAX if it is at
 * least that likely even at the last point. */
uint32_t vol_outlook_quantile(const struct vol_outlook *o, double chance);

#endif
