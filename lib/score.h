/* SPDX-License-Identifier: GPL-2.0-or-later */
/* score.h - which of its candidates a job should take first; pure
 *
 * The order is by expected completion time.  With F the chance that the owner
 * is back by then, and T the job's run time on that device, one try
 *
 *	takes   E[min(back, T)]
 *	wastes  W = integral over t < T of (lost(t) + restart) dF(t)
 *	is useful for the rest, U = E[min(back, T)] - integral of lost(t) dF(t)
 *
 * where lost(t) is what an eviction at t loses: all of t, or for a job that
 * saves its state every c seconds what it did since, c / 2 on average once
 * there is one.  An evicted job begins again on a device like this one, so (as
 * the renewal-reward theorem has it) each useful second costs W / U wasted
 * ones until the job is done:
 *
 *	completion = T + wasted,  wasted = T * W / U
 *
 * which never falls when the owner is more likely to come at any moment at
 * which he has not come before (a higher hazard), and is T when he is sure to
 * stay away.  U is taken for T / 64 at least: a hopeless device is very
 * expensive, and more so the longer it would keep the job.
 *
 * The hot path (vol_score_cost) is integer arithmetic, since the plugin asks
 * for every candidate inside slurmctld's node lock: it must cost a few ns.
 */
#ifndef VOL_SCORE_H
#define VOL_SCORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "outlook.h"

/* Levels 0 (take first) to VOL_SCORE_LEVELS - 1 (take last) order nodes below
 * the admin's Weight.  16 levels leave 28 of Weight's 32 bits to the admin, and
 * slurmctld, which walks a list of all weights for each candidate, has a short
 * one; in bench/sim 64 levels save no more work. */
#define VOL_SCORE_BITS   4
#define VOL_SCORE_LEVELS (1u << VOL_SCORE_BITS)

/* The reference: a device with this speed runs a job in its run time.  Others
 * are taken for at most 64 times slower or faster; 0 (not known) is this. */
#define VOL_SCORE_SPEED 1000

/* A job without a time limit is ordered like one of four hours: long enough to
 * prefer the devices of the night, short enough to tell them from others. */
#define VOL_SCORE_UNLIMITED_S (4 * 3600)

/* People ask for more time than they need, so that their jobs are not cut off:
 * on average about half is used (Mu'alem and Feitelson 2001; Tsafrir, Etsion
 * and Feitelson 2007).  A job is taken to run for so much of its limit. */
#define VOL_SCORE_RUN_PCT 60

/* What beginning again costs an evicted job besides, in seconds: being queued,
 * scheduled in the next round, and started. */
#define VOL_SCORE_RESTART_S 30

struct vol_score_job {
	uint32_t limit_s;      /* time limit; 0: unlimited or not known */
	uint32_t checkpoint_s; /* saves its state this often; 0: never */
	uint32_t restart_s;    /* what beginning again costs besides */
};

/* A device as vol_score_cost wants it; made once per change of its record. */
struct vol_score_node {
	uint16_t failed[VOL_OUTLOOK_POINTS]; /* F at the points of outlook.h */
	uint16_t lost[VOL_OUTLOOK_POINTS];   /* E[t; t < T] / T there */
	uint32_t run;   /* run time of what takes one on the reference, 20 bits
			 * of fraction */
	int32_t slower; /* the same as a difference of outlook positions */
};

/* A job as vol_score_cost wants it; made once per scheduling attempt. */
struct vol_score_plan {
	uint32_t run_s;  /* on the reference */
	int32_t horizon; /* outlook position of run_s */
	/* Of checkpoint_s, which is the same on all devices; INT32_MAX: never
	 * saves. */
	int32_t saved;
	/* Parts of run_s, 20 bits of fraction, at most 64. */
	uint32_t checkpoint, restart;
	struct vol_score_job job;
};

/* A curve that rises (a damaged one) is taken for one that does not. */
void vol_score_node(struct vol_score_node *node, const struct vol_outlook *o,
		    uint32_t speed);
void vol_score_plan(struct vol_score_plan *plan,
		    const struct vol_score_job *job);

/* Expected completion time in 1/VOL_SCORE_UNIT of the run time on the
 * reference. */
#define VOL_SCORE_UNIT 4096
uint32_t vol_score_cost(const struct vol_score_plan *plan,
			const struct vol_score_node *node);

/* The chance of an eviction before the job's end, 0 ... VOL_OUTLOOK_ONE. */
uint32_t vol_score_risk(const struct vol_score_plan *plan,
			const struct vol_score_node *node);

/* Which risk a job takes that has waited for so long: on a device with more it
 * does not begin, since it would likely lose its work, and a shorter job can
 * use the time.  At first that is max_risk (VOL_OUTLOOK_ONE: any); the longer
 * it waits the more, and after VOL_SCORE_PATIENCE run times, or a day, any.  A
 * job without a time limit never waits, for nobody knows for what; nor does one
 * that saves its state at least twice, which loses little. */
#define VOL_SCORE_PATIENCE       4
#define VOL_SCORE_PATIENCE_MAX_S 86400
/* What max_risk is when nobody says otherwise: 30 %. */
#define VOL_SCORE_MAX_RISK (VOL_OUTLOOK_ONE * 3 / 10)
uint32_t vol_score_allowed(const struct vol_score_plan *plan, uint32_t max_risk,
			   uint32_t waited_s);
/* For how long it has to have waited to take that risk, in seconds. */
uint32_t vol_score_wait(const struct vol_score_plan *plan, uint32_t max_risk,
			uint32_t risk);

/* The level of a cost among those of the candidates, which lie between best and
 * worst: 0 are the best, and each further level is of those that lie up to
 * twice as far from them.  All that take five run times longer than the best
 * are as bad as each other.  The last level is left to those that can not be
 * taken yet. */
unsigned int vol_score_level(uint32_t cost, uint32_t best, uint32_t worst);

/* The same in words that people understand, for volunteer explain; the hot
 * path and this one agree. */
struct vol_score_figures {
	double evicted; /* chance of an eviction before the job's end */
	double run_s, wasted_s, completion_s;
};
void vol_score_explain(const struct vol_score_plan *plan,
		       const struct vol_score_node *node,
		       struct vol_score_figures *f);

/* A Weight that orders by the admin's weight first and by level second.
 * Weights of 2^28 and more become equal. */
static inline uint32_t vol_score_weight(uint32_t weight, unsigned int level)
{
	const uint32_t max = UINT32_MAX >> VOL_SCORE_BITS;

	if (weight > max)
		weight = max;
	if (level >= VOL_SCORE_LEVELS)
		level = VOL_SCORE_LEVELS - 1;
	return weight << VOL_SCORE_BITS | level;
}

#endif
