/* SPDX-License-Identifier: GPL-2.0-or-later */
/* histogram.h - how long reactions took, in few numbers */
#ifndef VOL_HISTOGRAM_H
#define VOL_HISTOGRAM_H

#include <jansson.h>
#include <stdint.h>

#define VOL_HISTOGRAM_BOUNDS 8

/* All zero is an empty one.  The last of counts is for what was longer than
 * every bound. */
struct vol_histogram {
	uint64_t count, max_us, last_us, counts[VOL_HISTOGRAM_BOUNDS + 1];
};

void vol_histogram_add(struct vol_histogram *h, uint64_t us);

/* See vol_reflex_json. */
json_t *vol_histogram_json(const struct vol_histogram *h);

#endif
