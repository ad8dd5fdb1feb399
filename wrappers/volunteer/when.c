/* SPDX-License-Identifier: GPL-2.0-or-later */
/* when.c - moments as people say them, in local time */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "when.h"

#define HOUR_S 3600

static struct tm local(time_t t)
{
	struct tm tm;

	if (!localtime_r(&t, &tm))
		memset(&tm, 0, sizeof(tm));
	return tm;
}

const char *vol_when(time_t t, time_t now, char *buf, size_t size)
{
	time_t away = t > now ? t - now : now - t;
	struct tm tm = local(t);

	if (away <= 20 * HOUR_S)
		strftime(buf, size, "%H:%M", &tm);
	else if (away <= 6 * 24 * HOUR_S)
		strftime(buf, size, "%a %H:%M", &tm);
	else
		strftime(buf, size, "%Y-%m-%d %H:%M", &tm);
	return buf;
}

const char *vol_when_exact(time_t t, char *buf, size_t size)
{
	struct tm tm = local(t);

	strftime(buf, size, "%Y-%m-%d %H:%M:%S", &tm);
	return buf;
}
