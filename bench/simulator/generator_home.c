/* SPDX-License-Identifier: GPL-2.0-or-later */
/* generator_home.c - people at home, and those who live at night */
#include "generator.h"

/* --- evenings --------------------------------------------------------------
 */

/* Films and games pause seldom, but for long. */
#define HOME_RUN_MIN   40
#define HOME_PAUSE_MIN 6

struct home {
	double use[DAYS]; /* chance of an evening */
	double start, end;
	bool children[DAYS], works[DAYS]; /* on which days */
	bool off;                         /* switched off at night */
};

static struct home home_habits(struct owner *o)
{
	struct rng *r = &o->rng;
	struct home h = {.start = rng_uniform(r, 17.5, 20.5),
			 .end = rng_uniform(r, 21.8, 23.5),
			 .off = rng_chance(r, 0.25)};
	bool children = rng_chance(r, 0.4), works = rng_chance(r, 0.3);

	for (unsigned int d = 0; d < DAYS; d++) {
		h.use[d] = rng_uniform(r, 0.5, 0.95);
		h.children[d] = children && d < SAT && rng_chance(r, 0.6);
		h.works[d] = works && d < SAT && rng_chance(r, 0.4);
	}
	return h;
}

static void sit(struct owner *o, unsigned int day, double from, double to)
{
	owner_desk(o, day, from, to, HOME_RUN_MIN, HOME_PAUSE_MIN);
}

static void free_day(struct owner *o, unsigned int day)
{
	struct rng *r = &o->rng;
	double from = rng_uniform(r, 9, 11.5);

	if (rng_chance(r, 0.5))
		sit(o, day, from, from + rng_lognormal(r, 1.2, 0.5));
	from = rng_uniform(r, 13.5, 16.5);
	if (rng_chance(r, 0.6))
		sit(o, day, from, from + rng_lognormal(r, 1.6, 0.5));
}

static void home_day(struct owner *o, const struct home *h, unsigned int day)
{
	struct rng *r = &o->rng;
	unsigned int weekday = day % DAYS;
	bool is_free = weekday >= SAT || o->calendar->holiday[day];
	double from = rng_normal(r, h->start, 0.8);
	double to = rng_normal(r, h->end, 0.6);

	if (is_free) {
		free_day(o, day);
	} else if (h->works[weekday] && rng_chance(r, 0.85)) {
		double lunch = rng_normal(r, 12.4, 0.4);

		owner_desk(o, day, rng_normal(r, 8.8, 0.4), lunch, 18, 3.5);
		owner_desk(o, day, lunch + rng_uniform(r, 0.4, 1.2),
			   rng_normal(r, 17, 0.5), 18, 3.5);
	} else if (h->children[weekday] && rng_chance(r, 0.75)) {
		double home = rng_uniform(r, 14.3, 15.5);

		sit(o, day, home, home + rng_uniform(r, 0.7, 2.5));
	}
	if (rng_chance(r, h->use[weekday]))
		sit(o, day, from, to);
	/* A short look at something. */
	for (unsigned int n = rng_poisson(r, 0.7); n > 0; n--) {
		from = rng_uniform(r, 8, 23);
		owner_busy(o, day, from, from + rng_uniform(r, 0.05, 0.25));
	}
	if (h->off) {
		to = rng_normal(r, h->end + 0.3, 0.3);
		owner_busy(o, day, to, 24 + rng_uniform(r, 7, 16));
	}
}

void generate_home(struct owner *o)
{
	struct home h = home_habits(o);

	owner_plan_absence(o, 0.05, 0.01);
	for (unsigned int day = 0; day < o->calendar->days; day++)
		if (!o->away[day])
			home_day(o, &h, day);
}

/* --- nights ----------------------------------------------------------------
 */

void generate_nightowl(struct owner *o)
{
	struct rng *r = &o->rng;
	double rises = rng_normal(r, 12, 0.8);
	double drift = 0; /* hours, from day to day */

	owner_plan_absence(o, 0.04, 0.02);
	for (unsigned int day = 0; day < o->calendar->days; day++) {
		double from, to, late = day % DAYS >= FRI && day % DAYS < SUN;

		drift = 0.7 * drift + rng_normal(r, 0, 0.8);
		if (o->away[day] || rng_chance(r, 0.06))
			continue;
		from = rises + drift + rng_uniform(r, 0.5, 2.5);
		if (rng_chance(r, 0.8))
			owner_desk(o, day, from,
				   from + rng_lognormal(r, 3, 0.4), 25, 4);
		from = rises + 9 + drift + rng_normal(r, 0, 0.7);
		to = rises + 14.3 + drift + late + rng_normal(r, 0, 0.8);
		if (rng_chance(r, 0.08))
			to += rng_uniform(r, 2, 4);
		if (rng_chance(r, 0.88))
			owner_desk(o, day, from, to, 30, 4);
	}
}
