/* SPDX-License-Identifier: GPL-2.0-or-later */
/* prospect.h - what the controller's forecast is made from, besides the state;
 * pure
 *
 * Facts only: what follows from them is the controller's to say.
 */
#ifndef VOL_PROSPECT_H
#define VOL_PROSPECT_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "hours.h"
#include "link.h"
#include "presence.h"

struct vol_prospect {
	uint32_t away_s;  /* 0: somebody is there, or nobody can tell */
	time_t closes_at; /* wall clock; 0: not foreseen */
	bool battery;
	uint32_t speed; /* of device/speed.h, 0: not measured */
};

/* away_s and closes_at as of now.  Away is who does not show by any sensor that
 * watches people (input ... load): heat, say, closes the machine, but nobody
 * came. */
void vol_prospect_look(struct vol_prospect *p,
		       const struct vol_reading readings[VOL_SENSORS],
		       uint64_t now_ms, const struct vol_hours *hours,
		       time_t wall);

/* Into hello or harvest. */
void vol_prospect_fill(const struct vol_prospect *p, time_t wall,
		       struct vol_link_msg *msg);

/* Is it worth a message?  away_s alone is not: it only grows older, and when
 * somebody comes the state is another one.  A second more or less in closes_at
 * is the clock's. */
bool vol_prospect_differs(const struct vol_prospect *a,
			  const struct vol_prospect *b);

#endif
