/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ladder.h - how far jobs have to yield; pure
 *
 *	OPEN --closed--> PARKED --parked_max, pressure, urgent--> DRAINING
 *	  ^                |  \                                      |
 *	  |              open  no job (left)                     no job left
 *	  |                |      \                                  |
 *	  '----------------'       '--------> CLOSED <---------------'
 *	  '------------------ open -------------'
 *
 * Level-triggered: given the verdict and what runs, it names the state and
 * what must hold in it.  The caller makes it so and asks again on any change,
 * so a lost message or a restart needs no case of its own.  DRAINING goes back
 * to OPEN when the verdict allows: jobs that were not asked for yet stay.
 * While the controller can not be asked (verdict.cut_off) nothing is moved:
 * what is parked stays so until the link is back, or the fence is up.
 */
#ifndef VOL_LADDER_H
#define VOL_LADDER_H

#include <stdbool.h>
#include <stdint.h>

#include "policy.h"

/* What the controller and `volunteer` call it. */
enum vol_harvest {
	VOL_HARVEST_CLOSED, /* no jobs here, none wanted */
	VOL_HARVEST_OPEN,
	VOL_HARVEST_PARKED,   /* jobs here, stopped (or throttled) */
	VOL_HARVEST_DRAINING, /* jobs are being moved away */
};

struct vol_ladder {
	enum vol_harvest harvest;
	uint64_t since_ms;  /* in this state */
	uint64_t closed_ms; /* since when the verdict is "not open" */
};

struct vol_ladder_input {
	uint64_t now_ms;
	struct vol_verdict verdict;
	bool busy;             /* job steps live here */
	bool pressure_high;    /* memory PSI at or above max_pressure_pct */
	bool interactive_only; /* what is left can not be requeued: it stays
				* PARKED until interactive_max */
	bool fence; /* jobs must end now: they may start elsewhere soon */
};

struct vol_ladder_orders {
	bool run;      /* tasks may run: the only state in which they do,
			* besides throttle */
	bool throttle; /* tasks may run, slowly (reaction = throttle) */
	bool reclaim;  /* give parked jobs' memory back */
	bool evict;    /* have what can be requeued started elsewhere */
	bool evict_interactive; /* and cancel what can not */
	bool kill;              /* end all tasks now, without asking */
	uint64_t next_ms;       /* ask again then; UINT64_MAX = never */
};

/* Closed, as after every start. */
void vol_ladder_init(struct vol_ladder *ladder, uint64_t now_ms);

void vol_ladder_step(struct vol_ladder *ladder, const struct vol_policy *policy,
		     const struct vol_ladder_input *in,
		     struct vol_ladder_orders *orders);

#endif
