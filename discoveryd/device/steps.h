/* SPDX-License-Identifier: GPL-2.0-or-later */
/* steps.h - the job steps that live on this device
 *
 * Known from the files of the SPANK plugin and, at start, from slurmstepds that
 * run already.  Each is watched through a pidfd; a file whose slurmstepd is
 * gone is removed.
 */
#ifndef VOL_STEPS_H
#define VOL_STEPS_H

#include <jansson.h>
#include <stdbool.h>
#include <systemd/sd-event.h>

#include "error.h"

struct vol_steps;

/* changed is called from the loop when busy may have become another. */
struct vol_steps *vol_steps_create(sd_event *loop, const char *dir,
				   void (*changed)(void *arg), void *arg,
				   struct vol_error *err);
void vol_steps_destroy(struct vol_steps *s);

/* Is a slurmstepd alive? */
bool vol_steps_busy(const struct vol_steps *s);

/* Look for slurmstepds that no file tells of, then the same. */
bool vol_steps_busy_now(struct vol_steps *s);

/* New reference: [{"job": 1, "step": 0, "uid": 1000, "stepd": 4711}]; job and
 * step are missing for a slurmstepd without a file. */
json_t *vol_steps_json(const struct vol_steps *s);

#endif
