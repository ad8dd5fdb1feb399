/* SPDX-License-Identifier: GPL-2.0-or-later */
/* prospect.c - what the controller's forecast is made from, besides the state
 */
#include "config.h"

#include "device/prospect.h"

#include <stdlib.h>

#define MINUTE_S 60
#define WEEK_S   (VOL_WEEK_MINUTES * MINUTE_S)

static uint32_t away_s(const struct vol_reading readings[VOL_SENSORS],
		       uint64_t now_ms)
{
	uint64_t last_ms = 0, age_s;

	for (int i = 0; i <= VOL_SENSOR_LOAD; i++) {
		if (readings[i].says == VOL_SAYS_PRESENT)
			return 0;
		if (readings[i].says == VOL_SAYS_AWAY &&
		    readings[i].since_ms > last_ms)
			last_ms = readings[i].since_ms;
	}
	if (last_ms == 0 || last_ms > now_ms)
		return 0;
	age_s = (now_ms - last_ms) / 1000;
	return age_s < UINT32_MAX ? (uint32_t)age_s : UINT32_MAX;
}

static time_t closes_at(const struct vol_hours *hours, time_t wall)
{
	struct tm tm;

	localtime_r(&wall, &tm);
	if (!vol_hours_open(hours, vol_hours_minute(&tm)))
		return 0;
	return vol_hours_next(hours, &tm);
}

void vol_prospect_look(struct vol_prospect *p,
		       const struct vol_reading readings[VOL_SENSORS],
		       uint64_t now_ms, const struct vol_hours *hours,
		       time_t wall)
{
	p->away_s = away_s(readings, now_ms);
	p->closes_at = closes_at(hours, wall);
}

void vol_prospect_fill(const struct vol_prospect *p, time_t wall,
		       struct vol_link_msg *msg)
{
	msg->away_s = p->away_s;
	msg->battery = p->battery;
	msg->speed = p->speed < VOL_SPEED_MAX ? p->speed : VOL_SPEED_MAX;
	msg->closes_s = 0;
	/* A week of clocks that go back has an hour more. */
	if (p->closes_at > wall)
		msg->closes_s = p->closes_at - wall < WEEK_S
					? (uint32_t)(p->closes_at - wall)
					: WEEK_S;
}

bool vol_prospect_differs(const struct vol_prospect *a,
			  const struct vol_prospect *b)
{
	return a->battery != b->battery || a->speed != b->speed ||
	       llabs((long long)(a->closes_at - b->closes_at)) >= MINUTE_S;
}
