/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ladder.c - how far jobs have to yield
 *
 * orders.run is set in one place, where the verdict is open and no fence is
 * up; orders.throttle in one other.
 */
#include "config.h"

#include "ladder.h"

void vol_ladder_init(struct vol_ladder *ladder, uint64_t now_ms)
{
	*ladder = (struct vol_ladder){
		.harvest = VOL_HARVEST_CLOSED,
		.since_ms = now_ms,
		.closed_ms = now_ms,
	};
}

static void enter(struct vol_ladder *ladder, enum vol_harvest harvest,
		  uint64_t now_ms)
{
	if (ladder->harvest == harvest)
		return;
	ladder->harvest = harvest;
	ladder->since_ms = now_ms;
}

static uint64_t add(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

/* When jobs that can be requeued have to go. */
static uint64_t evict_time(const struct vol_ladder *ladder,
			   const struct vol_policy *policy,
			   const struct vol_ladder_input *in)
{
	if (in->verdict.urgent || in->pressure_high ||
	    policy->reaction == VOL_REACT_EVICT)
		return in->now_ms;
	return add(ladder->closed_ms, policy->parked_max_ms);
}

/* When those that can not be requeued have to go. */
static uint64_t cancel_time(const struct vol_ladder *ladder,
			    const struct vol_policy *policy,
			    const struct vol_ladder_input *in)
{
	if (in->verdict.urgent)
		return in->now_ms;
	return add(ladder->closed_ms, policy->interactive_max_ms
					      ? policy->interactive_max_ms
					      : policy->parked_max_ms);
}

/* Closed, jobs here, and a controller that can move them. */
static void yield(struct vol_ladder *ladder, const struct vol_policy *policy,
		  const struct vol_ladder_input *in,
		  struct vol_ladder_orders *orders)
{
	uint64_t cancel_ms = cancel_time(ladder, policy, in);
	uint64_t evict_ms = in->interactive_only
				    ? cancel_ms
				    : evict_time(ladder, policy, in);
	bool cancel = in->now_ms >= cancel_ms;
	bool evict = in->now_ms >= evict_ms;

	/* Once jobs are asked to leave, a moment without pressure does not
	 * keep them. */
	if (evict || cancel || ladder->harvest == VOL_HARVEST_DRAINING)
		enter(ladder, VOL_HARVEST_DRAINING, in->now_ms);
	else
		enter(ladder, VOL_HARVEST_PARKED, in->now_ms);
	orders->evict_interactive = cancel;
	orders->evict = ladder->harvest == VOL_HARVEST_DRAINING &&
			(cancel || !in->interactive_only);
	if (!evict && ladder->harvest == VOL_HARVEST_PARKED)
		orders->next_ms = evict_ms;
	if (!cancel && cancel_ms < orders->next_ms)
		orders->next_ms = cancel_ms;
}

void vol_ladder_step(struct vol_ladder *ladder, const struct vol_policy *policy,
		     const struct vol_ladder_input *in,
		     struct vol_ladder_orders *orders)
{
	*orders = (struct vol_ladder_orders){.next_ms = UINT64_MAX};
	if (in->verdict.open && !in->fence) {
		enter(ladder, VOL_HARVEST_OPEN, in->now_ms);
		orders->run = true;
		return;
	}
	if (ladder->harvest == VOL_HARVEST_OPEN)
		ladder->closed_ms = in->now_ms;
	if (!in->busy) {
		enter(ladder, VOL_HARVEST_CLOSED, in->now_ms);
		return;
	}
	if (in->fence) {
		enter(ladder, VOL_HARVEST_DRAINING, in->now_ms);
		orders->kill = true;
		return;
	}
	if (!in->verdict.cut_off)
		yield(ladder, policy, in, orders);
	else if (ladder->harvest != VOL_HARVEST_DRAINING)
		enter(ladder, VOL_HARVEST_PARKED, in->now_ms);
	orders->throttle = ladder->harvest == VOL_HARVEST_PARKED &&
			   in->verdict.cause == VOL_CAUSE_OWNER &&
			   !in->verdict.cut_off &&
			   policy->reaction == VOL_REACT_THROTTLE;
	/* Taking memory from what runs, or just before sleep, is only work for
	 * the disk. */
	orders->reclaim = !orders->throttle && !in->verdict.urgent;
}
