/* SPDX-License-Identifier: GPL-2.0-or-later */
/* outlook_view.h - how long devices will stay open, for people; pure */
#ifndef VOL_OUTLOOK_VIEW_H
#define VOL_OUTLOOK_VIEW_H

#include <jansson.h>
#include <stdio.h>
#include <time.h>

#include "device_list.h"
#include "outlook.h"

/* As discoveryd answers it: {"1h", "4h", "8h", "24h": chance to be open that
 * long, 0 ... 1; "median_s": for how long it is more likely than not, null
 * when that is further than the outlook goes}. */
json_t *vol_outlook_json(const struct vol_outlook *o);

/* Rows as discoveryd's "devices" has them, from the node table: node, harvest,
 * why, away_since, closes_at, battery, speed, evictions_week and forecast, null
 * for what is not open.  For when discoveryd does not answer. */
json_t *vol_outlook_devices(const struct vol_device_list *d, time_t now);

/* The table of `volunteer devices --forecast`; any member may be missing. */
void vol_outlook_view(FILE *out, const json_t *devices, time_t now);

/* "6h 10m", or ">38d 06h" when the outlook does not reach so far. */
const char *vol_outlook_median(const json_t *forecast, char *buf, size_t size);

#endif
