/* SPDX-License-Identifier: GPL-2.0-or-later */
/* units.c - durations, sizes and shares as people write them */
#include "config.h"

#include "units.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Nine decimals of the largest unit fit the arithmetic below. */
#define MAX_DECIMALS 9

/* Longest part of a wrong value that a message repeats. */
#define SHOWN "%.40s"

/* Largest first: parts of a duration must come in this order. */
static const struct {
	const char *name;
	uint64_t ms;
} time_units[] = {
	{"w", 7 * 24 * 3600 * 1000},
	{"d", 24 * 3600 * 1000},
	{"h", 3600 * 1000},
	{"m", 60 * 1000},
	{"s", 1000},
	{"ms", 1},
};

#define N_TIME_UNITS (sizeof(time_units) / sizeof(time_units[0]))

static const char size_units[] = "KMGTPE";

/* Digits at *s into *number; advances *s.  -1 with EINVAL if there is no
 * digit, ERANGE on overflow. */
static int parse_digits(const char **s, uint64_t *number)
{
	const char *p = *s;
	uint64_t n = 0;

	if (*p < '0' || *p > '9') {
		errno = EINVAL;
		return -1;
	}
	for (; *p >= '0' && *p <= '9'; p++) {
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(*p - '0'), &n)) {
			errno = ERANGE;
			return -1;
		}
	}
	*s = p;
	*number = n;
	return 0;
}

static int wrong_value(struct vol_error *err, const char *what, const char *s,
		       const char *hint)
{
	if (errno == ERANGE)
		return vol_errorf(err, "%s '" SHOWN "' is too large", what, s);
	return vol_errorf_errno(err, EINVAL, "'" SHOWN "' is not a %s (%s)", s,
				what, hint);
}

/* Unit at *s, looked up among those after the index *next; the index then
 * points behind it.  The unit's name ends where the next digit begins. */
static int parse_time_unit(const char **s, size_t *next, uint64_t *ms)
{
	size_t len = strspn(*s, "wdhms");
	size_t i;

	for (i = *next; i < N_TIME_UNITS; i++) {
		if (strlen(time_units[i].name) != len ||
		    strncmp(*s, time_units[i].name, len) != 0)
			continue;
		*s += len;
		*next = i + 1;
		*ms = time_units[i].ms;
		return 0;
	}
	errno = EINVAL;
	return -1;
}

static int parse_duration(const char *s, uint64_t *ms)
{
	uint64_t total = 0, number, unit;
	size_t next = 0;

	do {
		if (parse_digits(&s, &number) != 0)
			return -1;
		unit = 1000;
		if ((next > 0 || *s) && parse_time_unit(&s, &next, &unit) != 0)
			return -1;
		if (__builtin_mul_overflow(number, unit, &number) ||
		    __builtin_add_overflow(total, number, &total)) {
			errno = ERANGE;
			return -1;
		}
	} while (*s);
	*ms = total;
	return 0;
}

int vol_duration_parse(const char *s, uint64_t *ms, struct vol_error *err)
{
	uint64_t total;

	if (!s)
		return vol_errorf_errno(err, EINVAL, "no duration given");
	if (parse_duration(s, &total) != 0)
		return wrong_value(err, "duration", s,
				   "write e.g. 30s, 10m, 1h30m");
	*ms = total;
	return 0;
}

const char *vol_duration_format(uint64_t ms, char *buf, size_t size)
{
	size_t used = 0, i;
	uint64_t n;

	if (size == 0)
		return buf;
	snprintf(buf, size, "0s");
	for (i = 0; i < N_TIME_UNITS && used < size; i++) {
		n = ms / time_units[i].ms;
		ms %= time_units[i].ms;
		if (n > 0)
			used += (size_t)snprintf(buf + used, size - used,
						 "%" PRIu64 "%s", n,
						 time_units[i].name);
	}
	return buf;
}

/* Decimals after the point as numerator over denominator. */
static int parse_decimals(const char **s, uint64_t *num, uint64_t *den)
{
	size_t digits = strspn(*s, "0123456789");
	uint64_t d = 1;
	size_t i;

	if (digits == 0 || digits > MAX_DECIMALS) {
		errno = EINVAL;
		return -1;
	}
	for (i = 0; i < digits; i++)
		d *= 10;
	*den = d;
	return parse_digits(s, num);
}

/* Power of 1024 at *s, "" and "B" being 0; the whole rest must be the unit. */
static int parse_size_unit(const char *s, unsigned *power)
{
	const char *unit;
	char c = *s;

	*power = 0;
	if (c >= 'a' && c <= 'z')
		c = (char)(c - 'a' + 'A');
	unit = c ? strchr(size_units, c) : NULL;
	if (unit) {
		*power = (unsigned)(unit - size_units) + 1;
		s++;
		if (s[0] == 'i' && s[1] == 'B')
			s++;
	}
	if (*s == 'B')
		s++;
	if (*s) {
		errno = EINVAL;
		return -1;
	}
	return 0;
}

static int parse_size(const char *s, uint64_t *bytes)
{
	uint64_t whole, num = 0, den = 1, fraction = 0;
	bool decimals;
	unsigned power, i;

	if (parse_digits(&s, &whole) != 0)
		return -1;
	decimals = *s == '.';
	if (decimals) {
		s++;
		if (parse_decimals(&s, &num, &den) != 0)
			return -1;
	}
	if (parse_size_unit(s, &power) != 0)
		return -1;
	if (decimals && power == 0) {
		errno = EINVAL; /* half a byte */
		return -1;
	}
	/* num * 1024^power / den, ten bits at a time so that nothing
	 * overflows. */
	for (i = 0; i < power; i++) {
		num *= 1024;
		fraction = fraction * 1024 + num / den;
		num %= den;
	}
	if (__builtin_mul_overflow(whole, UINT64_C(1) << (10 * power),
				   &whole) ||
	    __builtin_add_overflow(whole, fraction, &whole)) {
		errno = ERANGE;
		return -1;
	}
	*bytes = whole;
	return 0;
}

int vol_size_parse(const char *s, uint64_t *bytes, struct vol_error *err)
{
	uint64_t n;

	if (!s)
		return vol_errorf_errno(err, EINVAL, "no size given");
	if (parse_size(s, &n) != 0)
		return wrong_value(err, "size", s, "write e.g. 512M, 1.5G");
	*bytes = n;
	return 0;
}

const char *vol_size_format(uint64_t bytes, char *buf, size_t size)
{
	unsigned power = 0, shift, tenth;
	uint64_t whole;

	while (power < sizeof(size_units) - 1 && bytes >> (10 * (power + 1)))
		power++;
	if (power == 0) {
		snprintf(buf, size, "%" PRIu64, bytes);
		return buf;
	}
	/* Rounded down, so that a limit is never shown as more than it is. */
	shift = 10 * power;
	whole = bytes >> shift;
	tenth = (unsigned)(((bytes - (whole << shift)) * 10) >> shift);
	if (tenth)
		snprintf(buf, size, "%" PRIu64 ".%u%c", whole, tenth,
			 size_units[power - 1]);
	else
		snprintf(buf, size, "%" PRIu64 "%c", whole,
			 size_units[power - 1]);
	return buf;
}

static int parse_amount(const char *s, enum vol_share_unit unit,
			uint64_t *amount)
{
	if (unit == VOL_SHARE_SIZE)
		return parse_size(s, amount);
	if (parse_digits(&s, amount) != 0)
		return -1;
	if (*s) {
		errno = EINVAL;
		return -1;
	}
	return 0;
}

static int parse_share(const char *s, enum vol_share_unit unit,
		       struct vol_share *share)
{
	const char *p = s;

	if (strcmp(s, "none") == 0) {
		*share = (struct vol_share){VOL_SHARE_NONE, 0};
		return 0;
	}
	if (strcmp(s, "all") == 0) {
		*share = (struct vol_share){VOL_SHARE_PCT, 100};
		return 0;
	}
	if (*s == '-') {
		share->kind = VOL_SHARE_BUT;
		return parse_amount(s + 1, unit, &share->amount);
	}
	if (parse_digits(&p, &share->amount) == 0 && strcmp(p, "%") == 0) {
		share->kind = VOL_SHARE_PCT;
		if (share->amount <= 100)
			return 0;
		errno = ERANGE;
		return -1;
	}
	share->kind = VOL_SHARE_ABS;
	return parse_amount(s, unit, &share->amount);
}

int vol_share_parse(const char *s, enum vol_share_unit unit,
		    struct vol_share *share, struct vol_error *err)
{
	struct vol_share parsed;

	if (!s)
		return vol_errorf_errno(err, EINVAL, "no share given");
	if (parse_share(s, unit, &parsed) != 0)
		return wrong_value(err, "share", s,
				   unit == VOL_SHARE_SIZE
					   ? "write e.g. 75%, 4G, -2G, all"
					   : "write e.g. 75%, 4, -2, all");
	*share = parsed;
	return 0;
}

uint64_t vol_share_apply(const struct vol_share *share, uint64_t total)
{
	uint64_t pct;

	switch (share->kind) {
	case VOL_SHARE_NONE:
		return 0;
	case VOL_SHARE_PCT:
		pct = share->amount < 100 ? share->amount : 100;
		return total / 100 * pct + total % 100 * pct / 100;
	case VOL_SHARE_ABS:
		return share->amount < total ? share->amount : total;
	case VOL_SHARE_BUT:
		return share->amount < total ? total - share->amount : 0;
	}
	return 0; /* a kind from nowhere shares nothing */
}
