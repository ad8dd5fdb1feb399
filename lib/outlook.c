/* SPDX-License-Identifier: GPL-2.0-or-later */
/* outlook.c - how long a device will stay available, as a curve
 *
 * Linked into slurmctld: no allocation, no libm.
 */
#include "config.h"

#include "outlook.h"

#define LAST (VOL_OUTLOOK_POINTS - 1)

static const uint32_t seconds[VOL_OUTLOOK_POINTS] = {
	60,     71,      85,      101,     120,     143,     170,     202,
	240,    285,     339,     404,     480,     571,     679,     807,
	960,    1142,    1358,    1615,    1920,    2283,    2715,    3229,
	3840,   4567,    5431,    6458,    7680,    9133,    10861,   12916,
	15360,  18266,   21722,   25832,   30720,   36532,   43445,   51665,
	61440,  73065,   86889,   103329,  122880,  146130,  173779,  206659,
	245760, 292260,  347557,  413317,  491520,  584519,  695114,  826635,
	983040, 1169038, 1390229, 1653270, 1966080, 2338076, 2780457, 3306539,
};

uint32_t vol_outlook_seconds(unsigned int i)
{
	return seconds[i < LAST ? i : LAST];
}

/* The last point that is not after s, which is not before the first. */
static unsigned int point_before(uint32_t s)
{
	unsigned int low = 0, high = VOL_OUTLOOK_POINTS;

	while (high - low > 1) {
		unsigned int middle = (low + high) / 2;

		if (seconds[middle] <= s)
			low = middle;
		else
			high = middle;
	}
	return low;
}

int32_t vol_outlook_position(uint32_t s)
{
	unsigned int i;
	uint64_t into;

	if (s <= seconds[0])
		return 0;
	i = point_before(s);
	if (i == LAST)
		return LAST << VOL_OUTLOOK_FRACTION;
	into = (uint64_t)(s - seconds[i]) << VOL_OUTLOOK_FRACTION;
	return (int32_t)(i << VOL_OUTLOOK_FRACTION) +
	       (int32_t)(into / (seconds[i + 1] - seconds[i]));
}

double vol_outlook_survival(const struct vol_outlook *o, uint32_t s)
{
	double from = VOL_OUTLOOK_ONE, to = o->survive[0], part;
	unsigned int i;

	if (s < seconds[0]) {
		part = (double)s / seconds[0];
	} else {
		i = point_before(s);
		if (i == LAST)
			return (double)o->survive[LAST] / VOL_OUTLOOK_ONE;
		from = o->survive[i];
		to = o->survive[i + 1];
		part = (double)(s - seconds[i]) / (seconds[i + 1] - seconds[i]);
	}
	return (from + (to - from) * part) / VOL_OUTLOOK_ONE;
}

uint32_t vol_outlook_quantile(const struct vol_outlook *o, double chance)
{
	double wanted = chance * VOL_OUTLOOK_ONE, before = VOL_OUTLOOK_ONE;
	uint32_t start = 0;
	unsigned int i;

	/* The first point that is less likely; also taken for a NaN. */
	for (i = 0; i < VOL_OUTLOOK_POINTS && o->survive[i] >= wanted; i++) {
		before = o->survive[i];
		start = seconds[i];
	}
	if (i == VOL_OUTLOOK_POINTS)
		return UINT32_MAX;
	if (!(before >= wanted))
		return 0;
	return start + (uint32_t)((seconds[i] - start) * (before - wanted) /
				  (before - o->survive[i]));
}
