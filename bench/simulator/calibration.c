/* SPDX-License-Identifier: GPL-2.0-or-later */
/* calibration.c - does it happen as often as it was said? */
#include "calibration.h"

#include <math.h>

#define LOOK_EVERY_S 600
#define SHORTEST_S   300.0
#define LONGEST_S    57600.0

static void look(struct calibration *c, struct world *w, struct device *d,
		 struct rng *rng)
{
	double horizon = SHORTEST_S *
			 pow(LONGEST_S / SHORTEST_S, rng_uniform(rng, 0, 1));
	double said, miss;
	unsigned int bin;
	bool seen;

	device_look(w, d);
	said = vol_outlook_survival(&d->outlook, (uint32_t)horizon);
	seen = device_closes(w, d) >= w->now + (int64_t)horizon;
	bin = (unsigned int)(said * CALIBRATION_BINS);
	if (bin == CALIBRATION_BINS)
		bin--;
	c->bin[bin].n++;
	c->bin[bin].said += said;
	c->bin[bin].seen += seen;
	miss = fabs(seen - said);
	c->brier += miss * miss;
	c->log_loss -= log(fmax(1 - miss, 1e-4));
	c->n++;
}

void calibrate(struct calibration *c, struct world *w, int64_t end,
	       struct rng rng)
{
	while (w->now < end) {
		world_advance(w, w->now + 1 +
					 (int64_t)rng_exponential(
						 &rng, LOOK_EVERY_S));
		/* The last ones' horizons must not look beyond the trace. */
		if (w->now + (int64_t)LONGEST_S > w->end)
			break;
		for (size_t i = 0; i < w->n; i++)
			if (w->device[i].open)
				look(c, w, &w->device[i], &rng);
	}
}

static double error_of(const struct calibration *c, unsigned int i)
{
	return fabs(c->bin[i].said - c->bin[i].seen) / (double)c->bin[i].n;
}

double calibration_error(const struct calibration *c)
{
	double sum = 0;
	unsigned int n = 0;

	for (unsigned int i = 0; i < CALIBRATION_BINS; i++) {
		if (c->bin[i].n == 0)
			continue;
		sum += error_of(c, i);
		n++;
	}
	return n ? sum / n : 0;
}

double calibration_error_weighted(const struct calibration *c)
{
	double sum = 0;

	for (unsigned int i = 0; i < CALIBRATION_BINS; i++)
		if (c->bin[i].n > 0)
			sum += error_of(c, i) * (double)c->bin[i].n;
	return c->n ? sum / (double)c->n : 0;
}
