/* SPDX-License-Identifier: GPL-2.0-or-later */
/* histogram.c - how long reactions took, in few numbers */
#include "config.h"

#include "device/histogram.h"

/* From what nobody feels to the longest that the reflex waits. */
static const unsigned bounds_us[VOL_HISTOGRAM_BOUNDS] = {
	500, 1000, 2000, 5000, 10000, 20000, 50000, 100000,
};

void vol_histogram_add(struct vol_histogram *h, uint64_t us)
{
	int i = 0;

	while (i < VOL_HISTOGRAM_BOUNDS && us > bounds_us[i])
		i++;
	h->counts[i]++;
	h->count++;
	h->last_us = us;
	if (us > h->max_us)
		h->max_us = us;
}

json_t *vol_histogram_json(const struct vol_histogram *h)
{
	json_t *bounds = json_array(), *counts = json_array();

	for (int i = 0; i < VOL_HISTOGRAM_BOUNDS; i++)
		json_array_append_new(bounds, json_integer(bounds_us[i]));
	for (int i = 0; i <= VOL_HISTOGRAM_BOUNDS; i++)
		json_array_append_new(counts,
				      json_integer((json_int_t)h->counts[i]));
	return json_pack("{s:I, s:I, s:I, s:o, s:o}", "count",
			 (json_int_t)h->count, "max_us", (json_int_t)h->max_us,
			 "last_us", (json_int_t)h->last_us, "bounds_us", bounds,
			 "counts", counts);
}
