/* SPDX-License-Identifier: GPL-2.0-or-later */
/* generator_lab.c - two rooms of seats for students */
#include "generator.h"

#define ROOMS     2
#define SLOTS     5 /* of two hours, from 8 on */
#define RUN_MIN   25
#define PAUSE_MIN 2.5
#define OPENS     8
#define CLOSES    20

/* The same for all seats of a room. */
struct timetable {
	double fill[SAT][SLOTS]; /* how many seats a class takes; 0: none */
};

static struct timetable timetable_of(const struct owner *o)
{
	struct rng r = rng_make(o->calendar->seed, 10 + o->number % ROOMS);
	struct timetable t = {{{0}}};

	for (unsigned int d = 0; d < SAT; d++)
		for (unsigned int s = 0; s < SLOTS; s++)
			if (rng_chance(&r, 0.35))
				t.fill[d][s] = rng_uniform(&r, 0.6, 0.95);
	return t;
}

/* Sessions an hour at a free seat of usual popularity. */
static double walk_ins(unsigned int hour)
{
	static const double rate[CLOSES - OPENS] = {0.08, 0.2,  0.35, 0.35,
						    0.3,  0.35, 0.4,  0.4,
						    0.35, 0.25, 0.18, 0.1};

	return rate[hour - OPENS];
}

/* Until when the seat is taken. */
static double sit_down(struct owner *o, unsigned int day, double from,
		       double to)
{
	if (to > CLOSES)
		to = CLOSES;
	owner_desk(o, day, from, to, RUN_MIN, PAUSE_MIN);
	return to;
}

static double class_at(struct owner *o, const struct timetable *t,
		       unsigned int day, unsigned int hour)
{
	double fill = t->fill[day % DAYS][(hour - OPENS) / 2];
	double from = hour + rng_uniform(&o->rng, 0.05, 0.25);

	if (!rng_chance(&o->rng, fill))
		return 0;
	return sit_down(o, day, from, hour + rng_uniform(&o->rng, 1.5, 1.8));
}

static void open_day(struct owner *o, const struct timetable *t,
		     unsigned int day, double popular)
{
	bool workday = day % DAYS < SAT, semester = o->calendar->semester[day];
	unsigned int opens = workday ? OPENS : 10,
		     closes = workday ? CLOSES : 16;
	double taken = 0;

	popular *= (workday ? 1 : 0.3) * (semester ? 1 : 0.15);
	for (unsigned int hour = opens; hour < closes; hour++) {
		double from;

		/* Nobody walks into a class. */
		if (workday && semester && hour < OPENS + 2 * SLOTS &&
		    t->fill[day % DAYS][(hour - OPENS) / 2] > 0) {
			if ((hour - OPENS) % 2 == 0) {
				from = class_at(o, t, day, hour);
				taken = from > taken ? from : taken;
			}
			continue;
		}
		from = hour + rng_uniform(&o->rng, 0, 1);
		if (from > taken &&
		    rng_chance(&o->rng, popular * walk_ins(hour)))
			taken = sit_down(o, day, from,
					 from + rng_lognormal(&o->rng, 0.8,
							      0.8));
	}
}

void generate_lab(struct owner *o)
{
	struct timetable t = timetable_of(o);
	double popular = rng_uniform(&o->rng, 0.4, 1.8);
	/* Everybody's night of updates, a few minutes apart. */
	unsigned int updates = o->number % 2 ? 1 : 8;

	for (unsigned int day = 0; day < o->calendar->days; day++) {
		double night = 3 + rng_uniform(&o->rng, 0, 0.5);

		if (day % 14 == updates)
			owner_busy(o, day, night, night + 0.3);
		if (day % DAYS == SUN || o->calendar->holiday[day])
			continue;
		open_day(o, &t, day, popular);
	}
}
