/* SPDX-License-Identifier: GPL-2.0-or-later */
/* generator.h - owners that do not exist, but could
 *
 * Four kinds of people, from general knowledge of how they live, and a cluster
 * of all four.  All have habits of their own (drawn once an owner), days that
 * differ (drawn once a day), breaks, days off, vacations and sick days, public
 * holidays that hit all of them at once, and rare sessions when nobody would
 * expect one.
 *
 * office
 *	arrive and leave at their own hour of workdays, lunch, regular and other
 *	meetings, coffee, home-office days (some by remote desktop), part time;
 *	one in eight switches off at night
 * lab
 *	two rooms of seats: classes by a timetable, walk-ins between them by
 *	hour and by how popular the seat is, Sundays closed
 * home
 *	evenings, more at weekends, children in the afternoon, home office; one
 *	in four switches off at night
 * nightowl
 *	get up at noon, work in the afternoon and from nine to three, with a
 *	rhythm that drifts from day to day
 * mixed
 *	a quarter of each
 *
 * At a desk an owner types for a while (18 minutes on average) and pauses for a
 * while (half of the pauses are longer than 3.5 minutes, one in 10 longer than
 * 11), so that a device opens for a few minutes several times a working day.
 *
 * These were written down before the model and the scorer that are tested by
 * them, and not touched since.
 */
#ifndef SIM_GENERATOR_H
#define SIM_GENERATOR_H

#include <stdint.h>

#include "rng.h"
#include "trace.h"

extern const char *const generator_patterns[]; /* ends with NULL */

/* weeks from Monday, 2024-01-01, on.  0, or -1 with the reason. */
int generate(struct trace *t, const char *pattern, uint64_t seed,
	     unsigned int devices, unsigned int weeks, struct vol_error *err);

/* --- for the kinds ---------------------------------------------------------
 */

enum { MON, TUE, WED, THU, FRI, SAT, SUN, DAYS };

/* What all owners share. */
struct calendar {
	unsigned int days;
	bool *holiday;  /* of each day */
	bool *semester; /* classes are held */
	uint64_t seed;
};

/* One owner, or one seat of a lab. */
struct owner {
	struct rng rng;
	const struct calendar *calendar;
	struct trace_device *device;
	bool *away; /* of each day: vacation, sick */
	unsigned int number;
	bool failed; /* no memory */
};

/* Hours of a day of the trace. */
void owner_busy(struct owner *o, unsigned int day, double from, double to);
/* The same with pauses in which nothing is touched, minutes. */
void owner_desk(struct owner *o, unsigned int day, double from, double to,
		double run_min, double pause_min);
/* Mark vacations and sick days: chances a week and a day. */
void owner_plan_absence(struct owner *o, double vacation, double sick);

void generate_office(struct owner *o);
void generate_lab(struct owner *o);
void generate_home(struct owner *o);
void generate_nightowl(struct owner *o);

#endif
