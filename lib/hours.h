/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hours.h - hours per weekday, as people write them; pure
 *
 *	always | never
 *	mon-fri 18:00-08:00, sat-sun always
 *	mon,wed 20:00-24:00; fri 12:30-13:30
 *	mon-sun 00:00-08:00, 18:00-24:00
 * Parts are separated by ";" or by "," before a day that follows a time; a
 * time there is another span of the same days.  A span that ends at or before
 * its start goes on into the next day.  Days that are not named are closed,
 * unless the text is "always".  Local time.
 */
#ifndef VOL_HOURS_H
#define VOL_HOURS_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "error.h"

/* One bit a minute of the week, Monday 00:00 first. */
#define VOL_WEEK_MINUTES (7 * 24 * 60)
struct vol_hours {
	uint64_t bits[(VOL_WEEK_MINUTES + 63) / 64];
};

/* EINVAL names the part. *hours is unchanged on error. */
int vol_hours_parse(const char *text, struct vol_hours *hours,
		    struct vol_error *err);

/* minute: 0 ... VOL_WEEK_MINUTES - 1. */
bool vol_hours_open(const struct vol_hours *hours, unsigned minute);

/* Minutes from here until the answer changes; 0 = never. */
unsigned vol_hours_change(const struct vol_hours *hours, unsigned minute);

/* The minute of the week of a local time. */
unsigned vol_hours_minute(const struct tm *tm);
/* The moment at which the answer changes next; 0 = never.  Hours are on the
 * clock on the wall, also when it is summer there tomorrow. */
time_t vol_hours_next(const struct vol_hours *hours, const struct tm *now);

#endif
