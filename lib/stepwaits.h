/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stepwaits.h - has anything of a job's script run in this run of it?
 *
 * A batch script whose job is saved has VOL_STEP_WAITS on its STEP/user
 * (stepfile.h) from before its first task exists.  Who lets the script begin,
 * or go on from an image, or takes its files back to what they were, puts
 * VOL_STEP_BEGUN in its place before that, and does not do so without.  Who has
 * sent the job on, and killed what was there, takes VOL_STEP_WAITS away: it
 * knows then that nothing of the script has run, nor will.  The kernel gives an
 * attribute to one of two who remove it.
 *
 * The names are trusted.*: only root outside of user namespaces sees them.
 */
#ifndef VOL_STEPWAITS_H
#define VOL_STEPWAITS_H

#include <stdbool.h>

#include "error.h"

#define VOL_STEP_WAITS "trusted.volunteer.waits"
#define VOL_STEP_BEGUN "trusted.volunteer.begun"

/* Neither is left of an earlier step in the folder.  -1: one may be.  Where
 * there are no attributes there is none. */
int vol_step_waits_clear(const char *user, struct vol_error *err);

/* From now on nothing has run.  -1: nobody will know. */
int vol_step_waits_begin(const char *user, struct vol_error *err);

/* From now on something may, if it did not before.  -1: it may not, ENODATA:
 * since the job was sent on, or somebody was killed in the middle of this. */
int vol_step_waits_end(const char *user, struct vol_error *err);
/* Did somebody say so?  Of one who was killed at it nobody knows: true. */
bool vol_step_waits_ended(const char *user);

/* user: a descriptor of the folder.  true: nothing has run, nor will; said
 * once. */
bool vol_step_waits_take(int user);

#endif
