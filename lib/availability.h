/* SPDX-License-Identifier: GPL-2.0-or-later */
/* availability.h - when the owner of one device will be back; pure
 *
 * (the statistics: to be stated here by whoever writes availability.c)
 */
#ifndef VOL_AVAILABILITY_H
#define VOL_AVAILABILITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "outlook.h"

/* All times are seconds of local wall clock since 1970-01-01 00:00 local time
 * (time_t + tm_gmtoff): people keep their hours by it.  The caller converts. */
struct vol_availability;

/* What a device's present spell looks like. */
struct vol_spell {
	int64_t now;
	int64_t away_since; /* the owner's last sign of life */
	int64_t closes_at; /* policy closes it then for sure; 0: not foreseen */
	bool on_battery;
};

/* A device of which nothing is known: the prior. */
struct vol_availability *vol_availability_create(int64_t now);
void vol_availability_destroy(struct vol_availability *a);

enum vol_available {
	VOL_AVAILABLE_UNKNOWN, /* nobody looked (the controller was down) */
	VOL_AVAILABLE_NO,      /* owner present, closed, or off */
	VOL_AVAILABLE_YES,
};

/* From now on it is so.  Call on each change, and at least every 15 minutes or
 * whenever an outlook is wanted; times never go back (one that does is taken
 * for the last). */
void vol_availability_note(struct vol_availability *a, int64_t now,
			   enum vol_available is);

/* The outlook of a device that is open now. */
void vol_availability_outlook(const struct vol_availability *a,
			      const struct vol_spell *spell,
			      struct vol_outlook *out);

/* Fixed size, little-endian, checked by a checksum; a few hundred bytes. */
#define VOL_AVAILABILITY_SIZE 512
void vol_availability_encode(const struct vol_availability *a,
			     uint8_t buf[VOL_AVAILABILITY_SIZE]);
/* NULL with EINVAL and a reason for what encode did not write. */
struct vol_availability *vol_availability_decode(const uint8_t *buf,
						 size_t size,
						 struct vol_error *err);

#endif
