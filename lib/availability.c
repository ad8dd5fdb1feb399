/* SPDX-License-Identifier: GPL-2.0-or-later */
/* availability.c - when the owner of one device will be back
 *
 * The constants were chosen on the simulator's owners (bench/sim), on other
 * seeds and weeks than those whose figures are published.
 */
#include "config.h"

#include "availability.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "availability_private.h"

/* How much a day tells about another: same weekday, same kind, other kind; and
 * by how much less for each day that it is older. */
#define WEIGHT_WEEKDAY 1.0
#define WEIGHT_ALIKE   0.35
#define WEIGHT_OTHER   0.03
#define WEIGHT_OLDER   0.97
/* Days' worth of prior in each slot. */
#define PRIOR_DAYS 0.7
/* The prior of Z: mean 1, variance 1 / PRIOR_Z; what deviates from it halves in
 * FORGET_Z_S. */
#define PRIOR_Z    1.5
#define FORGET_Z_S (14 * 3600.0)
/* Returns' worth of prior in each class of length, and how many of them are
 * remembered at most. */
#define PRIOR_AGE    4.0
#define REMEMBER_AGE 150.0
/* A clock that goes back by more was set. */
#define BACK_S 7200
/* A controller that is back sooner takes it for the same spell. */
#define RESUME_S 7200
/* No quarter is more dangerous than this: 1 - e^-3 = 95 %. */
#define HABIT_MAX 3.0

static const double age_prior[AGES] = {3, 2, 1.3, 1, 1, 1, 1, 1, 1};

static unsigned int weekday_of(int64_t day)
{
	/* 1970-01-01 was a Thursday. */
	return (unsigned int)((day + 3) % WEEK_DAYS);
}

/* When nothing is known: is the owner there, at a slot of the day? */
static double usual_presence(bool weekend, unsigned int slot)
{
	unsigned int hour = slot / (DAY_SLOTS / 24);

	if (hour < 7)
		return 0.05;
	if (hour < 18)
		return weekend ? 0.2 : 0.5;
	return 0.3;
}

/* A quarter's chance of a return from how often the owner is there. */
static double usual_chance(double presence)
{
	return 0.01 + 0.45 * presence * presence;
}

/* What one quarter of the day was like on one day of the ring. */
struct past {
	double risk, event;   /* was open before; not any more */
	double known, closed; /* the quarter itself */
};

static struct past look_back(const struct vol_availability *a, unsigned int i)
{
	static const double kernel[3] = {0.5, 1, 0.5};
	struct past p = {0};

	for (unsigned int k = 0; k < 3; k++) {
		unsigned int at = (i + RING_SLOTS + k - 1) % RING_SLOTS;
		unsigned int prev = (at + RING_SLOTS - 1) % RING_SLOTS;

		if (!bit(a->known, at))
			continue;
		p.known += kernel[k];
		if (!bit(a->open, at))
			p.closed += kernel[k];
		if (!bit(a->known, prev) || !bit(a->open, prev))
			continue;
		p.risk += kernel[k];
		if (!bit(a->open, at))
			p.event += kernel[k];
	}
	return p;
}

static uint16_t habit_of(const struct past past[RING_DAYS], unsigned int today,
			 unsigned int weekday, unsigned int slot)
{
	struct past sum = {0};
	double presence, chance, weight, older = 1;
	bool weekend = weekday >= 5;

	/* past[0] is today's, or, later in the day, that of four weeks ago. */
	for (unsigned int i = 0; i < RING_DAYS; i++) {
		unsigned int day = (today + RING_DAYS - i) % WEEK_DAYS;

		weight = day == weekday          ? WEIGHT_WEEKDAY
			 : (day >= 5) == weekend ? WEIGHT_ALIKE
						 : WEIGHT_OTHER;
		weight *= older;
		older *= WEIGHT_OLDER;
		sum.risk += weight * past[i].risk;
		sum.event += weight * past[i].event;
		sum.known += weight * past[i].known;
		sum.closed += weight * past[i].closed;
	}
	presence = (sum.closed + PRIOR_DAYS * usual_presence(weekend, slot)) /
		   (sum.known + PRIOR_DAYS);
	chance = (sum.event + PRIOR_DAYS * usual_chance(presence)) /
		 (sum.risk + PRIOR_DAYS);
	chance = fmin(-log1p(-fmin(chance, 0.99)), HABIT_MAX);
	return (uint16_t)lround(chance * HAZARD_UNITS);
}

/* One slot of the day, for all weekdays. */
static void derive_slot(struct vol_availability *a, unsigned int slot)
{
	int64_t today = a->now / DAY_S;
	struct past past[RING_DAYS];

	for (unsigned int i = 0; i < RING_DAYS; i++) {
		unsigned int day =
			(unsigned int)((today + RING_DAYS - i) % RING_DAYS);

		past[i] = look_back(a, day * DAY_SLOTS + slot);
	}
	for (unsigned int weekday = 0; weekday < WEEK_DAYS; weekday++)
		a->habit[weekday * DAY_SLOTS + slot] =
			habit_of(past, weekday_of(today), weekday, slot);
}

static void derive_sums(struct vol_availability *a)
{
	uint32_t sum = 0;

	for (unsigned int i = 0; i < WEEK_SLOTS; i++) {
		if (i % SUM_SLOTS == 0)
			a->before[i / SUM_SLOTS] = sum;
		sum += a->habit[i];
	}
	a->before[WEEK_SLOTS / SUM_SLOTS] = sum;
}

void vol_availability_derive(struct vol_availability *a)
{
	for (unsigned int slot = 0; slot < DAY_SLOTS; slot++)
		derive_slot(a, slot);
	derive_sums(a);
}

static int64_t in_range(int64_t time)
{
	return time < 0 ? 0 : time > TIME_MAX ? TIME_MAX : time;
}

struct vol_availability *vol_availability_blank(int64_t now)
{
	struct vol_availability *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->now = in_range(now);
	a->saw_unknown = true;
	return a;
}

struct vol_availability *vol_availability_create(int64_t now)
{
	struct vol_availability *a = vol_availability_blank(now);

	if (a)
		vol_availability_derive(a);
	return a;
}

void vol_availability_destroy(struct vol_availability *a)
{
	free(a);
}

static unsigned int age_class(int64_t age_s)
{
	unsigned int i = 0;

	for (int64_t edge = 600; i < AGES - 1 && age_s >= edge; edge *= 2)
		i++;
	return i;
}

static double age_factor(const struct vol_availability *a, unsigned int i)
{
	return (a->age[i].returned + PRIOR_AGE * age_prior[i]) /
	       (a->age[i].expected + PRIOR_AGE);
}

static unsigned int week_slot(int64_t time)
{
	return weekday_of(time / DAY_S) * DAY_SLOTS +
	       (unsigned int)(time % DAY_S / QUARTER_S);
}

/* Habit's hazard from the beginning of a week, s seconds in, to there. */
static double habit_until(const struct vol_availability *a, int64_t s)
{
	int64_t week = (int64_t)WEEK_SLOTS * QUARTER_S;
	int64_t within = s % week;
	unsigned int slot = (unsigned int)(within / QUARTER_S);
	double part = (double)(within % QUARTER_S) / QUARTER_S;
	uint32_t sum = a->before[slot / SUM_SLOTS];

	for (unsigned int i = slot - slot % SUM_SLOTS; i < slot; i++)
		sum += a->habit[i];
	return ((double)(s / week) * a->before[WEEK_SLOTS / SUM_SLOTS] + sum +
		part * a->habit[slot]) /
	       HAZARD_UNITS;
}

/* A quarter has ended: remember what it was. */
static void finish_quarter(struct vol_availability *a, int64_t start)
{
	unsigned int i = (unsigned int)(start / QUARTER_S % RING_SLOTS);
	uint64_t mask = 1ull << i % 64;
	bool closed = a->saw_closed, unknown = a->saw_unknown && !closed;

	a->open[i / 64] &= ~mask;
	a->known[i / 64] &= ~mask;
	if (!unknown)
		a->known[i / 64] |= mask;
	if (!unknown && !closed)
		a->open[i / 64] |= mask;
	a->saw_closed = a->is == VOL_AVAILABLE_NO;
	a->saw_unknown = a->is == VOL_AVAILABLE_UNKNOWN;
}

/* Was open from a->now until then, within one quarter. */
static void expect(struct vol_availability *a, int64_t until)
{
	unsigned int i = age_class(a->now - a->since);
	double z = (PRIOR_Z + a->returned) / (PRIOR_Z + a->expected);
	double habit = (double)(until - a->now) / QUARTER_S *
		       a->habit[week_slot(a->now)] / HAZARD_UNITS;

	/* Each factor is measured against the other two. */
	a->expected += habit * age_factor(a, i);
	a->age[i].expected += habit * z;
	if (a->age[i].expected > REMEMBER_AGE) {
		a->age[i].expected /= 2;
		a->age[i].returned /= 2;
	}
}

/* It stayed what it was until then. */
static void advance(struct vol_availability *a, int64_t until)
{
	int64_t started = a->now;
	unsigned int finished = 0;
	double kept;

	/* More is all the same: nothing is known. */
	if (until - a->now > (int64_t)RING_SLOTS * QUARTER_S)
		a->now = until - (int64_t)RING_SLOTS * QUARTER_S;
	while (a->now < until) {
		int64_t start = a->now - a->now % QUARTER_S;
		int64_t end =
			start + QUARTER_S < until ? start + QUARTER_S : until;

		if (a->is == VOL_AVAILABLE_YES)
			expect(a, end);
		a->now = end;
		if (end < start + QUARTER_S)
			break;
		finish_quarter(a, start);
		finished++;
		if (finished <= 2) {
			unsigned int slot =
				(unsigned int)(start % DAY_S / QUARTER_S);

			/* The one before looks at this one, too. */
			derive_slot(a, (slot + DAY_SLOTS - 1) % DAY_SLOTS);
			derive_slot(a, slot);
		}
	}
	if (finished > 2)
		vol_availability_derive(a);
	else if (finished > 0)
		derive_sums(a);
	kept = exp2(-(double)(until - started) / FORGET_Z_S);
	a->returned *= kept;
	a->expected *= kept;
}

static void change(struct vol_availability *a, enum vol_available is)
{
	if (a->is == VOL_AVAILABLE_YES && is == VOL_AVAILABLE_NO) {
		a->age[age_class(a->now - a->since)].returned++;
		a->returned++;
	}
	if (is == VOL_AVAILABLE_UNKNOWN) {
		a->was_open = a->is == VOL_AVAILABLE_YES;
		a->seen = a->now;
	} else if (is == VOL_AVAILABLE_YES &&
		   !(a->was_open && a->now - a->seen <= RESUME_S)) {
		a->since = a->now;
	}
	if (is != VOL_AVAILABLE_UNKNOWN)
		a->was_open = false;
	a->is = is;
	a->saw_closed |= is == VOL_AVAILABLE_NO;
	a->saw_unknown |= is == VOL_AVAILABLE_UNKNOWN;
}

void vol_availability_note(struct vol_availability *a, int64_t now,
			   enum vol_available is)
{
	now = in_range(now);
	if (now < a->now - BACK_S) {
		a->is = VOL_AVAILABLE_UNKNOWN;
		a->was_open = false;
		a->saw_closed = false;
		a->saw_unknown = true;
		a->now = now;
	} else if (now > a->now + VOL_AVAILABILITY_GAP_S) {
		if (a->is != VOL_AVAILABLE_UNKNOWN)
			change(a, VOL_AVAILABLE_UNKNOWN);
		advance(a, now);
	} else if (now > a->now) {
		advance(a, now);
	}
	if (is != a->is)
		change(a, is);
}

/* How long the present spell has lasted: since it opened, which is what the
 * classes of length were learned by. */
static int64_t spell_age(const struct vol_availability *a,
			 const struct vol_spell *spell)
{
	int64_t since =
		a->is == VOL_AVAILABLE_YES ? a->since : spell->away_since;
	int64_t now = in_range(spell->now);

	return since < 0 || since > now ? 0 : now - since;
}

/* Never more than is true: already from the last point before it on, since
 * between points the curve is interpolated. */
static void end_at(struct vol_outlook *o, int64_t ahead)
{
	unsigned int i = VOL_OUTLOOK_POINTS;

	while (i > 0 && vol_outlook_seconds(i - 1) > ahead)
		o->survive[--i] = 0;
	if (i > 0)
		o->survive[i - 1] = 0;
}

void vol_availability_outlook(const struct vol_availability *a,
			      const struct vol_spell *spell,
			      struct vol_outlook *out)
{
	int64_t now = in_range(spell->now), age = spell_age(a, spell);
	int64_t from = (int64_t)week_slot(now) * QUARTER_S + now % QUARTER_S;
	double shape = PRIOR_Z + a->returned, rate = PRIOR_Z + a->expected;
	double battery = spell->on_battery ? 2 : 1;
	double hazard = 0, done = habit_until(a, from);
	unsigned int class = age_class(age);
	int64_t edge = 600ll << class;
	double factor = age_factor(a, class);

	for (unsigned int i = 0; i < VOL_OUTLOOK_POINTS; i++) {
		int64_t ahead = vol_outlook_seconds(i);
		double until;

		/* Older on the way. */
		while (class < AGES - 1 && age + ahead >= edge) {
			until = habit_until(a, from + edge - age);
			hazard += (until - done) * factor;
			done = until;
			factor = age_factor(a, ++class);
			edge *= 2;
		}
		until = habit_until(a, from + ahead);
		hazard += (until - done) * factor;
		done = until;
		out->survive[i] = (uint16_t)lrint(
			VOL_OUTLOOK_ONE *
			pow(rate / (rate + hazard * battery), shape));
	}
	if (spell->closes_at > 0)
		end_at(out, in_range(spell->closes_at) - now);
}

/* Was the owner there in these quarters of the ring?  -1: not known. */
static int was_back(const struct vol_availability *a, int64_t start,
		    unsigned int slots)
{
	bool unknown = false;

	for (unsigned int i = 0; i < slots; i++) {
		unsigned int at =
			(unsigned int)((start / QUARTER_S + i) % RING_SLOTS);

		if (!bit(a->known, at))
			unknown = true;
		else if (!bit(a->open, at))
			return 1;
	}
	return unknown ? -1 : 0;
}

uint32_t vol_availability_known_s(const struct vol_availability *a)
{
	uint32_t n = 0;

	for (size_t i = 0; i < RING_WORDS; i++)
		n += (uint32_t)__builtin_popcountll(a->known[i]);
	return n * QUARTER_S;
}

void vol_availability_history(const struct vol_availability *a, int64_t now,
			      uint32_t horizon_s,
			      struct vol_availability_history *h)
{
	unsigned int weekday, slots;

	memset(h, 0, sizeof(*h));
	now = in_range(now);
	weekday = weekday_of(now / DAY_S);
	if (horizon_s > DAY_S)
		horizon_s = DAY_S;
	slots = 1 + horizon_s / QUARTER_S;
	for (unsigned int i = 1; i <= RING_DAYS; i++) {
		int64_t then = now - (int64_t)i * DAY_S;
		unsigned int day;
		int back;

		/* Those that are not over, or not remembered any more. */
		if (then < 0 || then + horizon_s > a->now ||
		    then < a->now - (int64_t)RING_SLOTS * QUARTER_S)
			continue;
		day = weekday_of(then / DAY_S);
		back = was_back(a, then, slots);
		if (back < 0 || (day >= 5) != (weekday >= 5))
			continue;
		h->alike++;
		h->alike_back += (unsigned int)back;
		if (day != weekday)
			continue;
		h->weekdays++;
		h->weekdays_back += (unsigned int)back;
	}
}
