/* SPDX-License-Identifier: GPL-2.0-or-later */
/* score.c - which of its candidates a job should take first
 *
 * Linked into slurmctld: no allocation, no libm.  Times are parts of the run
 * time on the reference with 20 bits of fraction ("parts"); none exceeds 64,
 * so that products of two fit 64 bits.
 */
#include "config.h"

#include "score.h"

#define LAST      (VOL_OUTLOOK_POINTS - 1)
#define PARTS     20
#define RATIO_MAX 64
#define PARTS_MAX ((uint32_t)RATIO_MAX << PARTS)
/* Where speeds are compared: 64 times more and less lie between the points. */
#define MIDDLE_S 7680u
/* Costs that lie further from the best are one level. */
#define LEVEL_RANGE (5u * VOL_SCORE_UNIT)
/* A level is the length of a distance: 0 to this, one less than the last. */
#define LEVEL_BITS (VOL_SCORE_LEVELS - 2)

/* One try on a device, in parts. */
struct attempt {
	uint32_t run;
	uint32_t failed; /* 16 bits */
	uint32_t wasted, useful;
};

static uint32_t limit(uint64_t value, uint32_t min, uint32_t max)
{
	if (value < min)
		return min;
	return value > max ? max : (uint32_t)value;
}

static void set_speed(struct vol_score_node *node, uint32_t speed)
{
	uint64_t run = (uint64_t)VOL_SCORE_SPEED << PARTS;

	node->run = limit(run / (speed ? speed : VOL_SCORE_SPEED),
			  (1u << PARTS) / RATIO_MAX, PARTS_MAX);
	run = (uint64_t)MIDDLE_S * node->run >> PARTS;
	node->slower = vol_outlook_position((uint32_t)run) -
		       vol_outlook_position(MIDDLE_S);
}

void vol_score_node(struct vol_score_node *node, const struct vol_outlook *o,
		    uint32_t speed)
{
	uint64_t lost = 0; /* E[t; t < T] in seconds, 17 bits of fraction */
	uint32_t failed = 0, start = 0;

	set_speed(node, speed);
	for (unsigned int i = 0; i < VOL_OUTLOOK_POINTS; i++) {
		uint32_t end = vol_outlook_seconds(i);
		uint32_t now = (uint32_t)VOL_OUTLOOK_ONE - o->survive[i];

		if (now < failed)
			now = failed;
		/* Evenly in between: in the middle on average. */
		lost += (uint64_t)(now - failed) * (start + end);
		failed = now;
		start = end;
		node->failed[i] = (uint16_t)failed;
		node->lost[i] = (uint16_t)(lost / 2 / end);
	}
}

void vol_score_plan(struct vol_score_plan *plan,
		    const struct vol_score_job *job)
{
	uint64_t part = (uint64_t)job->limit_s * VOL_SCORE_RUN_PCT / 100;
	uint32_t run = job->limit_s ? limit(part, 1, UINT32_MAX)
				    : VOL_SCORE_UNLIMITED_S;

	plan->job = *job;
	plan->run_s = run;
	plan->horizon = vol_outlook_position(run);
	plan->saved = job->checkpoint_s
			      ? vol_outlook_position(job->checkpoint_s)
			      : INT32_MAX;
	plan->checkpoint = limit(((uint64_t)job->checkpoint_s << PARTS) / run,
				 0, PARTS_MAX);
	plan->restart =
		limit(((uint64_t)job->restart_s << PARTS) / run, 0, PARTS_MAX);
}

/* A table's value at a position. */
static inline uint32_t at(const uint16_t table[VOL_OUTLOOK_POINTS],
			  int32_t position)
{
	const int32_t one = 1 << VOL_OUTLOOK_FRACTION;
	int32_t i = position >> VOL_OUTLOOK_FRACTION;
	int32_t part = position & (one - 1);

	if (position < 0)
		return table[0];
	if (i >= LAST)
		return table[LAST];
	return (uint32_t)(table[i] * (one - part) + table[i + 1] * part) >>
	       VOL_OUTLOOK_FRACTION;
}

static inline struct attempt attempt_on(const struct vol_score_plan *plan,
					const struct vol_score_node *node)
{
	int32_t end = plan->horizon + node->slower;
	struct attempt t = {.run = node->run};
	uint64_t lost, stay, useful;

	t.failed = at(node->failed, end);
	lost = (uint64_t)t.run * at(node->lost, end);
	stay = lost + (uint64_t)t.run * (VOL_OUTLOOK_ONE - t.failed);
	if (plan->saved < end) {
		uint32_t before = at(node->failed, plan->saved);

		lost = (uint64_t)plan->checkpoint *
		       (at(node->lost, plan->saved) + (t.failed - before) / 2);
		if (lost > stay)
			lost = stay;
	}
	useful = (stay - lost) >> 16;
	lost += (uint64_t)plan->restart * t.failed;
	t.wasted = (uint32_t)(lost >> 16);
	t.useful = limit(useful, t.run / RATIO_MAX, PARTS_MAX);
	return t;
}

uint32_t vol_score_cost(const struct vol_score_plan *plan,
			const struct vol_score_node *node)
{
	const unsigned int unit_shift = PARTS - 12;
	struct attempt t = attempt_on(plan, node);
	uint64_t ratio = ((uint64_t)t.wasted << 12) / t.useful;
	uint64_t run = t.run >> unit_shift;

	_Static_assert(VOL_SCORE_UNIT == 1 << 12, "the shifts know it");
	return (uint32_t)(run + (run * ratio >> 12));
}

uint32_t vol_score_risk(const struct vol_score_plan *plan,
			const struct vol_score_node *node)
{
	return at(node->failed, plan->horizon + node->slower);
}

/* For how long it waits at most, in seconds. */
static uint32_t patience(const struct vol_score_plan *plan)
{
	bool saves_twice = plan->job.checkpoint_s > 0 &&
			   plan->checkpoint <= 1u << (PARTS - 1);

	if (!plan->job.limit_s || saves_twice)
		return 0;
	return limit((uint64_t)plan->run_s * VOL_SCORE_PATIENCE, 1,
		     VOL_SCORE_PATIENCE_MAX_S);
}

uint32_t vol_score_allowed(const struct vol_score_plan *plan, uint32_t max_risk,
			   uint32_t waited_s)
{
	uint32_t most = patience(plan);

	if (max_risk >= VOL_OUTLOOK_ONE || waited_s >= most)
		return VOL_OUTLOOK_ONE;
	return max_risk + (uint32_t)((uint64_t)(VOL_OUTLOOK_ONE - max_risk) *
				     waited_s / most);
}

uint32_t vol_score_wait(const struct vol_score_plan *plan, uint32_t max_risk,
			uint32_t risk)
{
	uint64_t most = patience(plan), more;

	if (risk <= max_risk || max_risk >= VOL_OUTLOOK_ONE)
		return 0;
	more = limit(risk, 0, VOL_OUTLOOK_ONE) - max_risk;
	/* Rounded up: a second less would not do. */
	return (uint32_t)((most * more + VOL_OUTLOOK_ONE - max_risk - 1) /
			  (VOL_OUTLOOK_ONE - max_risk));
}

static unsigned int bit_length(uint32_t n)
{
	return n ? 32 - (unsigned int)__builtin_clz(n) : 0;
}

unsigned int vol_score_level(uint32_t cost, uint32_t best, uint32_t worst)
{
	uint32_t range = worst > best ? worst - best : 0;
	uint32_t distance = cost > best ? cost - best : 0;
	unsigned int bits;

	if (range > LEVEL_RANGE)
		range = LEVEL_RANGE;
	if (distance > range)
		distance = range;
	bits = bit_length(range);
	if (bits > LEVEL_BITS)
		distance >>= bits - LEVEL_BITS;
	return bit_length(distance);
}

void vol_score_explain(const struct vol_score_plan *plan,
		       const struct vol_score_node *node,
		       struct vol_score_figures *f)
{
	struct attempt t = attempt_on(plan, node);

	f->evicted = (double)t.failed / VOL_OUTLOOK_ONE;
	f->run_s = (double)plan->run_s * t.run / (1u << PARTS);
	f->wasted_s = f->run_s * t.wasted / t.useful;
	f->completion_s = f->run_s + f->wasted_s;
}
