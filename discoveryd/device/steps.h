/* SPDX-License-Identifier: GPL-2.0-or-later */
/* steps.h - the job steps that live on this device
 *
 * Known from the files of the SPANK plugin and, at start, from slurmstepds that
 * run already.  Each is watched through a pidfd and put into the freezer's
 * hands; a file whose slurmstepd is gone is removed.  Whoever can not look (no
 * descriptors left, /proc not readable) counts as busy, and looks again every
 * second.
 */
#ifndef VOL_STEPS_H
#define VOL_STEPS_H

#include <jansson.h>
#include <stdbool.h>
#include <systemd/sd-event.h>

#include "device/freezer.h"
#include "error.h"
#include "stepfile.h"

struct vol_steps;

/* changed is called from the loop when busy or the steps may have become
 * others.  freezer is borrowed; NULL = nothing is frozen. */
struct vol_steps *vol_steps_create(sd_event *loop, const char *dir,
				   struct vol_freezer *freezer,
				   void (*changed)(void *arg), void *arg,
				   struct vol_error *err);
void vol_steps_destroy(struct vol_steps *s);

/* doubt is asked about each step that gets known, before the freezer has it:
 * true = its job is to be held (vol_freezer_hold).  Whoever doubts lifts that
 * later.  Without it nobody is doubted. */
void vol_steps_judge(struct vol_steps *s,
		     bool (*doubt)(const struct vol_step *step, void *arg),
		     void *arg);

/* killed is called with changed's arg, before that, when a slurmstepd ended
 * that told nobody so: slurmctld does not know of it either. */
void vol_steps_on_killed(struct vol_steps *s,
			 void (*killed)(uint32_t job, void *arg));

/* Is a slurmstepd alive, or may it be? */
bool vol_steps_busy(const struct vol_steps *s);

/* Look for slurmstepds that no file tells of, then the same. */
bool vol_steps_busy_now(struct vol_steps *s);

/* Has every slurmstepd tasks, so that, while these are stopped, none of them
 * has anything to say to slurmctld? */
bool vol_steps_calm(struct vol_steps *s);

/* Is every job here one that can not be requeued (srun, salloc)?  That is, one
 * without a batch step on this device.  Of a job over several devices only the
 * first has the batch step; on the others it looks like an srun.  False while
 * there is a slurmstepd of which nothing is known. */
bool vol_steps_interactive_only(const struct vol_steps *s);

/* The step of this job that is to be saved before the job leaves, its cgroup as
 * we see it; false: there is none, or not yet. */
bool vol_steps_to_save(const struct vol_steps *s, uint32_t job,
		       struct vol_step *step);

/* Call f for each step that has a file. */
void vol_steps_each(const struct vol_steps *s,
		    void (*f)(const struct vol_step *step, void *arg),
		    void *arg);

/* New reference: [{"job": 1, "step": 0, "uid": 1000, "stepd": 4711}]; job, step
 * and uid are missing for a slurmstepd without a file. */
json_t *vol_steps_json(const struct vol_steps *s);

#endif
