/* SPDX-License-Identifier: GPL-2.0-or-later */
/* decimal.c - exact decimals as 64-bit integers */
#include "config.h"

#include "decimal.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

int vol_decimal_read(const char **s, struct vol_decimal *d)
{
	const char *p = *s;
	bool negative = *p == '-';
	unsigned digits = 0;

	memset(d, 0, sizeof(*d));
	if (negative)
		p++;
	if (!isdigit((unsigned char)*p))
		return -1;
	if (*p == '0' && isdigit((unsigned char)p[1]))
		return -1;
	for (; isdigit((unsigned char)*p) && digits <= VOL_DECIMAL_DIGITS;
	     p++, digits++)
		d->units = digits < VOL_DECIMAL_DIGITS
				   ? d->units * 10 + *p - '0'
				   : 0;
	if (*p == '.' && isdigit((unsigned char)p[1])) {
		for (p++;
		     isdigit((unsigned char)*p) && digits < VOL_DECIMAL_DIGITS;
		     p++, digits++, d->decimals++)
			d->units = d->units * 10 + *p - '0';
	}
	if (digits > VOL_DECIMAL_DIGITS || isdigit((unsigned char)*p))
		return -1;
	if (negative)
		d->units = -d->units;
	*s = p;
	return 0;
}

int vol_decimal_scale(struct vol_decimal *d, unsigned decimals)
{
	static const int64_t limit = INT64_C(1000000000000000000); /* 10^18 */

	for (; d->decimals < decimals; d->decimals++) {
		if (d->units >= limit / 10 || d->units <= -limit / 10)
			return -1;
		d->units *= 10;
	}
	return 0;
}

int vol_decimal_format(int64_t units, unsigned decimals, char *buf, size_t size)
{
	uint64_t magnitude = units < 0 ? -(uint64_t)units : (uint64_t)units;
	uint64_t one = 1;

	for (unsigned i = 0; i < decimals; i++)
		one *= 10;
	if (!decimals)
		return snprintf(buf, size, "%" PRId64, units);
	return snprintf(buf, size, "%s%" PRIu64 ".%0*" PRIu64,
			units < 0 ? "-" : "", magnitude / one, (int)decimals,
			magnitude % one);
}
