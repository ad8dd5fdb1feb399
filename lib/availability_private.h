/* SPDX-License-Identifier: GPL-2.0-or-later */
/* availability_private.h - what the model and its encoding share */
#ifndef VOL_AVAILABILITY_PRIVATE_H
#define VOL_AVAILABILITY_PRIVATE_H

#include "availability.h"

#define QUARTER_S  900
#define DAY_S      86400
#define DAY_SLOTS  (DAY_S / QUARTER_S)
#define WEEK_DAYS  7
#define WEEK_SLOTS (WEEK_DAYS * DAY_SLOTS)
/* A sum for each would be half of the model. */
#define SUM_SLOTS 16
/* Hazards are kept as multiples of 1 / HAZARD_UNITS: ten thousand devices have
 * a week of them in memory.  The least that four weeks can teach is 9 of them,
 * the largest fits. */
#define HAZARD_UNITS 20000
#define RING_DAYS    28
#define RING_SLOTS   (RING_DAYS * DAY_SLOTS)
#define RING_WORDS   (RING_SLOTS / 64)
/* Classes of a spell's length: below 10, 20, 40 minutes ... 21 h, and more. */
#define AGES 9
/* The year 9999 in local seconds; keeps sums in range. */
#define TIME_MAX (253402300800ll + DAY_S)

struct vol_availability {
	int64_t now;   /* of the last note */
	int64_t since; /* it is open, when it is */
	enum vol_available is;
	/* It was open when it was seen last, then: since still holds if it is
	 * open soon after. */
	bool was_open;
	int64_t seen;
	/* What was seen since the present quarter began. */
	bool saw_closed, saw_unknown;
	/* By quarter modulo four weeks. */
	uint64_t open[RING_WORDS], known[RING_WORDS];
	/* Z without its prior. */
	double returned, expected;
	struct {
		double returned, expected;
	} age[AGES];
	/* Derived: hazards a quarter by slot of the week, Monday first, and
	 * their sums before each SUM_SLOTS of them. */
	uint16_t habit[WEEK_SLOTS];
	uint32_t before[WEEK_SLOTS / SUM_SLOTS + 1];
};

static inline bool bit(const uint64_t *bits, unsigned int i)
{
	return bits[i / 64] >> i % 64 & 1;
}

/* Nothing known, and nothing derived yet. */
struct vol_availability *vol_availability_blank(int64_t now);
/* Everything that is derived. */
void vol_availability_derive(struct vol_availability *a);

#endif
