/* SPDX-License-Identifier: GPL-2.0-or-later */
/* generator_office.c - people at desks */
#include "generator.h"

#define RUN_MIN   18
#define PAUSE_MIN 3.5
#define BREAKS    16
#define MEETINGS  3

struct gap {
	double from, to;
};

struct office {
	double arrive, arrive_sd, leave, leave_sd; /* hours */
	double lunch;
	struct {
		unsigned int weekday;
		double hour, hours;
	} weekly[MEETINGS];
	unsigned int meetings;
	unsigned int home_day, free_day; /* DAYS: none */
	bool remote;                     /* works on it from home */
	bool off;                        /* switches it off at night */
};

static struct office habits(struct owner *o)
{
	struct rng *r = &o->rng;
	struct office h = {
		.arrive = rng_normal(r, 8.7, 0.8),
		.arrive_sd = rng_uniform(r, 0.15, 0.6),
		.leave_sd = rng_uniform(r, 0.3, 1),
		.lunch = rng_normal(r, 12.3, 0.4),
		.meetings = rng_below(r, MEETINGS + 1),
		.home_day = rng_chance(r, 0.4) ? rng_below(r, SAT) : DAYS,
		.free_day = rng_chance(r, 0.15) ? rng_below(r, SAT) : DAYS,
		.remote = rng_chance(r, 0.4),
		.off = rng_chance(r, 0.125),
	};

	h.leave = h.arrive + rng_normal(r, 8.8, 0.6);
	for (unsigned int i = 0; i < h.meetings; i++) {
		h.weekly[i].weekday = rng_below(r, SAT);
		h.weekly[i].hour = 9 + 0.5 * rng_below(r, 15);
		h.weekly[i].hours = 0.5 * (1 + rng_below(r, 4));
	}
	return h;
}

/* The day's breaks in any order. */
static unsigned int plan_breaks(struct owner *o, const struct office *h,
				unsigned int day, struct gap gaps[BREAKS])
{
	struct rng *r = &o->rng;
	unsigned int n = 0, more;

	if (rng_chance(r, 0.85)) {
		gaps[n].from = rng_normal(r, h->lunch, 0.25);
		gaps[n].to = gaps[n].from + rng_lognormal(r, 0.7, 0.3);
		n++;
	}
	for (unsigned int i = 0; i < h->meetings; i++) {
		if (h->weekly[i].weekday != day % DAYS || !rng_chance(r, 0.85))
			continue;
		gaps[n].from = h->weekly[i].hour - rng_uniform(r, 0, 0.1);
		gaps[n].to = h->weekly[i].hour + h->weekly[i].hours +
			     rng_uniform(r, 0, 0.2);
		n++;
	}
	for (more = rng_poisson(r, 0.7); more > 0 && n < BREAKS; more--) {
		gaps[n].from = 9 + 0.5 * rng_below(r, 15);
		gaps[n].to = gaps[n].from + 0.5 * (1 + rng_below(r, 3));
		n++;
	}
	for (more = rng_poisson(r, 2); more > 0 && n < BREAKS; more--) {
		gaps[n].from = rng_uniform(r, h->arrive + 0.5, h->leave - 0.5);
		gaps[n].to = gaps[n].from + rng_uniform(r, 0.13, 0.33);
		n++;
	}
	return n;
}

/* Until when nobody is there, if a break holds this moment; else itself. */
static double after_breaks(const struct gap *gaps, unsigned int n, double at)
{
	for (unsigned int round = 0; round < n; round++)
		for (unsigned int i = 0; i < n; i++)
			if (gaps[i].from <= at && at < gaps[i].to)
				at = gaps[i].to;
	return at;
}

static void work(struct owner *o, const struct office *h, unsigned int day,
		 double from, double to)
{
	struct gap gaps[BREAKS];
	unsigned int n = plan_breaks(o, h, day, gaps);

	while ((from = after_breaks(gaps, n, from)) < to) {
		double until = to;

		for (unsigned int i = 0; i < n; i++)
			if (gaps[i].from > from && gaps[i].from < until)
				until = gaps[i].from;
		owner_desk(o, day, from, until, RUN_MIN, PAUSE_MIN);
		from = until;
	}
}

/* Nobody would expect them. */
static void surprises(struct owner *o, unsigned int day)
{
	struct rng *r = &o->rng;
	double from;

	if (day % DAYS >= SAT && rng_chance(r, 0.05)) {
		from = rng_uniform(r, 9, 17);
		owner_desk(o, day, from, from + rng_uniform(r, 1, 4), RUN_MIN,
			   PAUSE_MIN);
	}
	/* A look at something from home. */
	if (rng_chance(r, 0.05)) {
		from = rng_uniform(r, 18.5, 23);
		owner_desk(o, day, from, from + rng_exponential(r, 0.7),
			   RUN_MIN, PAUSE_MIN);
	}
}

void generate_office(struct owner *o)
{
	struct office h = habits(o);
	struct rng *r = &o->rng;
	double off_since = 0; /* hours since the start of the trace */

	owner_plan_absence(o, 0.06, 0.008);
	for (unsigned int day = 0; day < o->calendar->days; day++) {
		unsigned int weekday = day % DAYS;
		double from = rng_normal(r, h.arrive, h.arrive_sd);
		double to = rng_normal(r, h.leave, h.leave_sd);
		bool home = weekday == h.home_day && rng_chance(r, 0.85);

		surprises(o, day);
		if (rng_chance(r, 0.06))
			to += rng_uniform(r, 1, 3.5);
		if (weekday >= SAT || o->away[day] || weekday == h.free_day ||
		    (home && !h.remote) ||
		    (o->calendar->holiday[day] && rng_chance(r, 0.97)))
			continue;
		if (h.off && !home)
			owner_busy(o, 0, off_since, day * 24.0 + from);
		work(o, &h, day, from, to);
		off_since = day * 24.0 + to;
	}
	if (h.off)
		owner_busy(o, 0, off_since, o->calendar->days * 24.0);
}
