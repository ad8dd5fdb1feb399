/* SPDX-License-Identifier: GPL-2.0-or-later */
/* desk.h - jobs that must leave a device, come back into the queue or get time
 *
 * Works in rounds, one at a time: read the jobs that somebody asked about (the
 * whole table in one call when they are many), decide, write down what a crash
 * must not forget, change the jobs, answer.  A round that is not needed is not
 * made, and the next one waits in proportion to what the last one cost
 * slurmctld.  While slurmctld is away the round waits with all that was asked;
 * devices ask again when they hear nothing.
 *
 * On disk (state_dir/jobs.json): which jobs were requeued and still wait for
 * their start and their priority, and what time was granted.  A pending job
 * does not show that it was our requeue that made it wait, nor what it lost,
 * so a file is the only memory that survives kill -9.  It is written before
 * slurmctld is told: time is rather granted too seldom than twice.
 */
#ifndef VOL_DESK_H
#define VOL_DESK_H

#include <stdbool.h>

#include "error.h"
#include "link.h"

struct vol_controller;
struct vol_desk;
struct vol_member;

/* The registrar must be there.  A damaged file is an error that names it. */
struct vol_desk *vol_desk_create(struct vol_controller *c,
				 struct vol_error *err);
/* Before the registrar goes.  NULL-safe. */
void vol_desk_destroy(struct vol_desk *d);

/* A device asks to have a job start elsewhere (EVICT), or whether Slurm is
 * ending it (CHECK).  The answer goes over the link that the device has then.
 */
void vol_desk_evict(struct vol_desk *d, const struct vol_member *member,
		    const struct vol_link_msg *msg);

/* A device says that nothing of a job ran that it was told to end: the image
 * with which it came is as good for its next run. */
void vol_desk_unbegun(struct vol_desk *d, const struct vol_member *member,
		      const struct vol_link_msg *msg);

/* A device says for how long a job was stopped there. */
void vol_desk_parked(struct vol_desk *d, const struct vol_member *member,
		     const struct vol_link_msg *msg);
/* Its jobs go on: settle. */
void vol_desk_opened(struct vol_desk *d, const struct vol_member *member);

/* The node is about to be set down, or compared with what slurmctld believes:
 * note the jobs that it will requeue.  When that is done member->jobs_noted is
 * set and vol_member_evaluate called. */
void vol_desk_leaving(struct vol_desk *d, const struct vol_member *member);

#endif
