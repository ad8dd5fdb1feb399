/* SPDX-License-Identifier: GPL-2.0-or-later */
/* calibration.h - does it happen as often as it was said?
 *
 * At random moments, for each device that is open then, the model says how
 * likely it is still open after a horizon (random, 5 minutes to 16 hours, even
 * in the logarithm), and the trace says whether it was.  Ten bins by what was
 * said; the error of a bin is the difference of the two means.
 */
#ifndef SIM_CALIBRATION_H
#define SIM_CALIBRATION_H

#include "rng.h"
#include "world.h"

#define CALIBRATION_BINS 10

struct calibration {
	struct {
		size_t n;
		double said, seen; /* sums */
	} bin[CALIBRATION_BINS];
	double brier, log_loss; /* sums */
	size_t n;
};

/* Adds one look at all devices every ten minutes or so, until end. */
void calibrate(struct calibration *c, struct world *w, int64_t end,
	       struct rng rng);

/* Mean over the bins that have samples, of the absolute error; and the same
 * weighted by samples. */
double calibration_error(const struct calibration *c);
double calibration_error_weighted(const struct calibration *c);

#endif
