/* SPDX-License-Identifier: GPL-2.0-or-later */
/* window.h - with how many of the best candidates a start is tried first; no
 * Slurm header
 *
 * Slurm works out what each candidate could give to a job before it takes the
 * lightest, and that is most of what a start costs.  Where it would take the
 * lightest in any case, it need not see the heavier ones, as long as one of
 * those that it sees has room: candidates that are equally light are shown all
 * or none, so its choice is the same.  How many it takes is learnt from the
 * last start; where they are too few all are shown.
 */
#ifndef VOL_SELECT_WINDOW_H
#define VOL_SELECT_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "candidates.h"

/* More weights than the levels of two weights of the admin's: all are shown. */
#define VOL_WINDOW_CLASSES 32
#define VOL_WINDOW_ALL     UINT64_MAX

/* Zeroed: all are shown. */
struct vol_window {
	size_t wanted; /* the lightest that a start needed; 0: not known */
	bool open;     /* between the two below */
	size_t n;
	struct vol_window_class {
		uint64_t order;
		size_t n;
	} class[VOL_WINDOW_CLASSES]; /* the lightest first */
};

/* The heaviest order to be shown; VOL_WINDOW_ALL: each is. */
uint64_t vol_window_limit(struct vol_window *w, const struct vol_candidates *c);
/* What came of it: which were taken; none, it could not start. */
void vol_window_learn(struct vol_window *w, const struct vol_candidates *c);

#endif
