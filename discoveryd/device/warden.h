/* SPDX-License-Identifier: GPL-2.0-or-later */
/* warden.h - the walls around jobs: written down, tried, and heard of
 *
 * The walls file (lib/walls.h) is written before slurmd starts and at each
 * reload, and is removed when it can not be: slurmstepd starts nothing without
 * it.  A trial tells whether this machine can build them.  When a step could
 * not (lib/wallsfail.h), the machine is in trouble until a trial that began
 * later passes (at a start, a reload and every 15 minutes), or root removes the
 * file that says so.
 *
 * An image file (lib/runtime.h) is mounted first, by a program that reads all
 * of it.  Until then no job may start; the walls before, if there are any, are
 * what steps of jobs that run get.  One that can not be mounted is trouble, and
 * is tried again as a wall is.
 */
#ifndef VOL_WARDEN_H
#define VOL_WARDEN_H

#include <stdbool.h>

#include <jansson.h>
#include <systemd/sd-event.h>

#include "device/sandbox_conf.h"
#include "error.h"

struct vol_warden;

/* run_dir holds the files; trial and runtime are the programs that try walls
 * and mount images (trial.h).  changed is called from the loop when the
 * trouble, the view or the runtime may be another one. */
struct vol_warden *vol_warden_create(sd_event *loop, const char *run_dir,
				     const char *trial, const char *runtime,
				     void (*changed)(void *arg), void *arg,
				     struct vol_error *err);
void vol_warden_destroy(struct vol_warden *w);

/* Put these walls in force.  What goes wrong is the trouble.  owners: as in
 * device.conf, their homes stay theirs. */
void vol_warden_apply(struct vol_warden *w, const struct vol_sandbox_conf *c,
		      const char *owners);

/* Why no job may start here, printable; NULL: none.  Valid until the next call
 * or event. */
const char *vol_warden_trouble(const struct vol_warden *w);

/* What slurmd is to reach (vol_walls_view), "" before walls were written. */
const char *vol_warden_view(const struct vol_warden *w);

/* An image is being mounted: the view will be another one. */
bool vol_warden_settles(const struct vol_warden *w);

/* What jobs have as their system by the walls that are, or were, in force: the
 * name by content of an image; "": a folder's, this machine's own, or no walls.
 */
const char *vol_warden_runtime(const struct vol_warden *w);

/* New reference: {"walls": "up" | "off", "stand": "all" | "without ids" |
 * "no" | "untried", "missing": TEXT, "trouble": TEXT, "runtime": as above}. */
json_t *vol_warden_json(const struct vol_warden *w);

#endif
