/* SPDX-License-Identifier: GPL-2.0-or-later */
/* parked.h - the time for which a job was stopped, added to its limit; pure
 *
 * Slurm's clock goes on while a job is parked.  A device tells how long each
 * job was stopped there, in all; here is what was granted of that.  A job on
 * several devices gets the sum of them: one that waits for a stopped part loses
 * the time as a whole, so the sum is never too little.
 */
#ifndef VOL_PARKED_H
#define VOL_PARKED_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "cluster.h"
#include "names.h"

/* While it is parked a job gets more time when its end is nearer than this:
 * totals come every half minute, and slurmctld looks as often. */
#define VOL_PARKED_END_S 120

struct vol_grant {
	uint32_t job;
	char node[VOL_NODE_NAME_SIZE];
	uint32_t restarts; /* of the run that granted_min is about */
	uint32_t granted_min;
	uint32_t seconds; /* as the device said last; not kept on disk */
	bool parked;      /* it is stopped there now */
	bool due;         /* the job goes on: settle now */
};

enum vol_parked_step {
	VOL_PARKED_NOTHING,
	VOL_PARKED_EXTEND,
	VOL_PARKED_FORGET, /* the job does not run there (any more) */
};

/* On EXTEND *limit_min is the job's new limit and *g has it as granted.  here:
 * g's node is in the job's list; job may be NULL. */
enum vol_parked_step vol_parked_decide(struct vol_grant *g,
				       const struct vol_slurm_job *job,
				       bool here, time_t now,
				       uint32_t *limit_min);

#endif
