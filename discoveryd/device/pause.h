/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pause.h - the owner's pause, kept in a file over restarts and reboots
 *
 * state_dir/paused holds the end in seconds of the wall clock, 0 = until
 * resumed.  No file: not paused.  A file that can not be read counts as paused
 * until resumed: when in doubt the owner wins.
 */
#ifndef VOL_PAUSE_H
#define VOL_PAUSE_H

#include <stdbool.h>
#include <time.h>

#include "error.h"

struct vol_pause {
	bool on;
	time_t until; /* 0 = until resumed */
};

/* -1 when the file is damaged; *pause says "on" then. */
int vol_pause_load(const char *state_dir, struct vol_pause *pause,
		   struct vol_error *err);
/* Also removes the file when not on; synced to disk. */
int vol_pause_save(const char *state_dir, const struct vol_pause *pause,
		   struct vol_error *err);
/* Over by the clock?  Clears *pause then. */
bool vol_pause_over(struct vol_pause *pause, time_t now);

#endif
