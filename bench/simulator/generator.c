/* SPDX-License-Identifier: GPL-2.0-or-later */
/* generator.c - owners that do not exist, but could: what they have in common
 */
#include "generator.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define KINDS 4

const char *const generator_patterns[] = {"office",   "lab",   "home",
					  "nightowl", "mixed", NULL};

static void (*const kinds[KINDS])(struct owner *) = {
	generate_office, generate_lab, generate_home, generate_nightowl};

void owner_busy(struct owner *o, unsigned int day, double from, double to)
{
	int64_t midnight = (int64_t)day * 86400;

	if (to > from &&
	    trace_add_busy(o->device, midnight + (int64_t)(from * 3600),
			   midnight + (int64_t)(to * 3600)) < 0)
		o->failed = true;
}

void owner_desk(struct owner *o, unsigned int day, double from, double to,
		double run_min, double pause_min)
{
	while (from < to) {
		double run = rng_exponential(&o->rng, run_min) / 60;

		owner_busy(o, day, from, from + run < to ? from + run : to);
		from += run + rng_lognormal(&o->rng, pause_min, 0.9) / 60;
	}
}

static void stay_away(struct owner *o, unsigned int from, unsigned int days)
{
	for (unsigned int d = from; d < from + days; d++)
		if (d < o->calendar->days)
			o->away[d] = true;
}

void owner_plan_absence(struct owner *o, double vacation, double sick)
{
	for (unsigned int d = 0; d < o->calendar->days; d++) {
		if (d % DAYS == SAT && rng_chance(&o->rng, vacation))
			stay_away(o, d, rng_chance(&o->rng, 0.6) ? 9 : 16);
		/* A day off, or an illness. */
		if (rng_chance(&o->rng, sick))
			stay_away(o, d, 1 + rng_below(&o->rng, 4));
	}
}

static int make_calendar(struct calendar *c, uint64_t seed, unsigned int weeks)
{
	struct rng rng = rng_make(seed, 0);

	c->seed = seed;
	c->days = weeks * DAYS;
	c->holiday = calloc(c->days, sizeof(bool));
	c->semester = calloc(c->days, sizeof(bool));
	if (!c->holiday || !c->semester)
		return -1;
	for (unsigned int w = 0; w < weeks; w++) {
		bool holiday = rng_chance(&rng, 0.12);
		unsigned int which = rng_below(&rng, SAT);
		bool semester = !rng_chance(&rng, 0.1);

		c->holiday[w * DAYS + which] = holiday;
		for (unsigned int d = 0; d < DAYS; d++)
			c->semester[w * DAYS + d] = semester;
	}
	return 0;
}

static int add_owner(struct trace *t, const struct calendar *c,
		     unsigned int number, unsigned int kind)
{
	char name[TRACE_NAME_SIZE];
	struct owner o = {.rng = rng_make(c->seed, 1000 + number),
			  .calendar = c,
			  .number = number};

	snprintf(name, sizeof(name), "%s%u", generator_patterns[kind], number);
	o.away = calloc(c->days, sizeof(bool));
	o.device = trace_add_device(t, name);
	if (!o.away || !o.device) {
		free(o.away);
		return -1;
	}
	kinds[kind](&o);
	trace_tidy(o.device, t->end);
	free(o.away);
	return o.failed ? -1 : 0;
}

int generate(struct trace *t, const char *pattern, uint64_t seed,
	     unsigned int devices, unsigned int weeks, struct vol_error *err)
{
	struct calendar c = {0};
	unsigned int kind = 0;
	int ret;

	while (generator_patterns[kind] &&
	       strcmp(generator_patterns[kind], pattern) != 0)
		kind++;
	if (!generator_patterns[kind])
		return vol_errorf_errno(err, EINVAL, "no pattern \"%s\"",
					pattern);
	memset(t, 0, sizeof(*t));
	t->epoch = trace_epoch(2024, 1, 1);
	t->end = (int64_t)weeks * DAYS * 86400;
	ret = make_calendar(&c, seed, weeks);
	for (unsigned int i = 0; ret == 0 && i < devices; i++)
		ret = add_owner(t, &c, i, kind < KINDS ? kind : i % KINDS);
	free(c.holiday);
	free(c.semester);
	if (ret < 0) {
		trace_clear(t);
		return vol_errorf_errno(err, ENOMEM, "no memory");
	}
	return 0;
}
