/* SPDX-License-Identifier: GPL-2.0-or-later */
/* availability.h - when the owner of one device will be back; pure
 *
 * People keep their hours by the clock and by the week, and deviate from them
 * for days at a time.  The hazard of a return (the chance per time that the
 * owner comes back, given that he has not yet) is a product of three:
 *
 *	hazard(t) = habit(hour of week) * age(length of the spell) * Z
 *
 * habit  The last four weeks are kept by quarters of an hour: was the device
 *	open all the time?  A quarter's hazard is the share of days on which it
 *	was open before and not any more, the same weekday weighing most, other
 *	days of the same kind (workday, weekend) less, recent ones more than old
 *	ones and neighbouring quarters half: a life table with kernel weights
 *	(Beran 1981), which is how Brevik, Nurmi and Wolski (2004) predict
 *	desktops without assuming a distribution, by equal hours of past days as
 *	in Rood and Lewis (2007).  It is shrunk towards what the share of days
 *	on which the owner is there at this hour makes likely, and where nothing
 *	is known towards a usual week.
 * age	Short absences (reading, coffee) end sooner than the hours say.  By nine
 *	classes of length: returns observed by returns expected, with a Gamma
 *	prior; this device's own, slowly forgotten.
 * Z	Today is not like the habit: a holiday, or a deadline.  Z is a Gamma
 *	variable of mean one (frailty: Vaupel, Manton, Stallard 1979) which is
 *	filtered on line: returns in the last day by returns expected
 *	(discounted Gamma-Poisson: Smith and Miller 1986).  An owner who should
 *	have come hours ago has a small Z and probably does not come today.
 *
 * With shape a and rate b of Z the chance to survive a cumulative hazard of H
 * is (b / (b + H))^a: heavier than exponential, as Kondo et al. (2004, 2007)
 * found desktops' intervals to be.  On battery hazards count double, which is
 * an assumption and not learned: a laptop on battery is about to be carried
 * away.
 */
#ifndef VOL_AVAILABILITY_H
#define VOL_AVAILABILITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "outlook.h"

/* All times are seconds of local wall clock since 1970-01-01 00:00 local time
 * (time_t + tm_gmtoff): people keep their hours by it.  The caller converts.
 * Years before 1970 and after 9999 are taken for the nearest. */
struct vol_availability;

/* What a device's present spell looks like. */
struct vol_spell {
	int64_t now;
	int64_t away_since; /* the owner's last sign of life */
	int64_t closes_at; /* policy closes it then for sure; 0: not foreseen */
	bool on_battery;
};

/* A device of which nothing is known: the prior.  NULL: no memory. */
struct vol_availability *vol_availability_create(int64_t now);
void vol_availability_destroy(struct vol_availability *a);

enum vol_available {
	VOL_AVAILABLE_UNKNOWN, /* nobody looked (the controller was down) */
	VOL_AVAILABLE_NO,      /* owner present, closed, or off */
	VOL_AVAILABLE_YES,
};

/* From now on it is so.  Call on each change, and at least every
 * VOL_AVAILABILITY_GAP_S: of a longer time without a word nothing is known.
 * Times do not go back: up to two hours (the end of summer time) the last one
 * counts until it is reached again, more is a clock that was set. */
#define VOL_AVAILABILITY_GAP_S 1800
void vol_availability_note(struct vol_availability *a, int64_t now,
			   enum vol_available is);

/* The outlook of a device that is open now.  Note its state first. */
void vol_availability_outlook(const struct vol_availability *a,
			      const struct vol_spell *spell,
			      struct vol_outlook *out);

/* How many of the last four weeks' quarter-hours are known, in seconds. */
uint32_t vol_availability_known_s(const struct vol_availability *a);

/* What a person would count: on how many of the last four days of this weekday
 * (and of all days of its kind, workdays or weekends, in four weeks) was the
 * owner there at some time between this time of day and horizon_s later (at
 * most a day)?  Days of which that is not known do not count. */
struct vol_availability_history {
	unsigned int weekdays, weekdays_back;
	unsigned int alike, alike_back;
};
void vol_availability_history(const struct vol_availability *a, int64_t now,
			      uint32_t horizon_s,
			      struct vol_availability_history *h);

/* Fixed size, little-endian, checked by a checksum.  What happens between
 * encode and the first note after decode is not known. */
#define VOL_AVAILABILITY_SIZE 512
void vol_availability_encode(const struct vol_availability *a,
			     uint8_t buf[VOL_AVAILABILITY_SIZE]);
/* NULL with EINVAL and a reason for what encode did not write. */
struct vol_availability *vol_availability_decode(const uint8_t *buf,
						 size_t size,
						 struct vol_error *err);

#endif
