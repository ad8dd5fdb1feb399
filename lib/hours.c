/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hours.c - hours per weekday, as people write them */
#include "config.h"

#include "hours.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "text.h"

#define DAY_MINUTES (24 * 60)
#define DAYS        7

static const char *const days[DAYS] = {"mon", "tue", "wed", "thu",
				       "fri", "sat", "sun"};

struct scan {
	const char *at;   /* what is read next */
	const char *part; /* begin of the part, for messages */
	struct vol_error *err;
};

static int fail(const struct scan *s, const char *reason)
{
	char shown[VOL_EXCERPT_SIZE];
	size_t len = strcspn(s->part, ";");

	return vol_errorf_errno(s->err, EINVAL, "%s: %s",
				vol_text_excerpt(s->part, len, shown), reason);
}

static void skip_blanks(struct scan *s)
{
	s->at += strspn(s->at, " \t");
}

/* word, and no letter or digit behind it? */
static bool take_word(struct scan *s, const char *word)
{
	size_t len = strlen(word);

	if (strncasecmp(s->at, word, len) != 0 ||
	    vol_char_in((unsigned char)s->at[len], ""))
		return false;
	s->at += len;
	return true;
}

static bool take_char(struct scan *s, char c)
{
	if (*s->at != c)
		return false;
	s->at++;
	return true;
}

/* ---- days ---- */

static int take_day(struct scan *s)
{
	int day;

	for (day = 0; day < DAYS; day++) {
		if (take_word(s, days[day]))
			return day;
	}
	return fail(s, "a day is one of mon, tue, wed, thu, fri, sat, sun");
}

/* "mon", "fri-mon": into bits of *set. */
static int take_range(struct scan *s, unsigned *set)
{
	int day = take_day(s), last;

	if (day < 0)
		return -1;
	last = day;
	skip_blanks(s);
	if (take_char(s, '-')) {
		skip_blanks(s);
		last = take_day(s);
		if (last < 0)
			return -1;
		skip_blanks(s);
	}
	*set |= 1u << day;
	for (; day != last; day = (day + 1) % DAYS)
		*set |= 1u << (day + 1) % DAYS;
	return 0;
}

static int take_days(struct scan *s, unsigned *set)
{
	*set = 0;
	do {
		skip_blanks(s);
		if (take_range(s, set) < 0)
			return -1;
	} while (take_char(s, ','));
	return 0;
}

/* ---- times ---- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "8:00" to "24:00" in minutes. */
static int take_time(struct scan *s, unsigned *minutes)
{
	unsigned hour = 0, digits;
	const char *p;

	skip_blanks(s);
	p = s->at;
	for (digits = 0; digits < 2 && is_digit(*p); digits++)
		hour = hour * 10 + (unsigned)(*p++ - '0');
	if (digits == 0 || p[0] != ':' || !is_digit(p[1]) || p[1] > '5' ||
	    !is_digit(p[2]) || is_digit(p[3]))
		return fail(s, "hours are written like 18:00-08:00");
	*minutes = hour * 60 + (unsigned)(p[1] - '0') * 10 +
		   (unsigned)(p[2] - '0');
	if (*minutes > DAY_MINUTES)
		return fail(s, "a day ends at 24:00");
	s->at = p + 3;
	return 0;
}

static void open_span(struct vol_hours *hours, unsigned days_set,
		      unsigned start, unsigned length)
{
	unsigned day, i, minute;

	for (day = 0; day < DAYS; day++) {
		if (!(days_set & (1u << day)))
			continue;
		for (i = 0; i < length; i++) {
			minute = (day * DAY_MINUTES + start + i) %
				 VOL_WEEK_MINUTES;
			hours->bits[minute / 64] |= UINT64_C(1) << minute % 64;
		}
	}
}

static int take_span(struct scan *s, unsigned days_set, struct vol_hours *hours)
{
	unsigned start, end;

	if (take_time(s, &start) < 0)
		return -1;
	if (start == DAY_MINUTES)
		return fail(s, "a span can not start at 24:00");
	skip_blanks(s);
	if (!take_char(s, '-'))
		return fail(s, "hours are written like 18:00-08:00");
	if (take_time(s, &end) < 0)
		return -1;
	if (end <= start)
		end += DAY_MINUTES;
	open_span(hours, days_set, start, end - start);
	return 0;
}

/* "always" or spans up to ";", the end, or a "," before a day. */
static int take_times(struct scan *s, unsigned days_set,
		      struct vol_hours *hours)
{
	skip_blanks(s);
	if (take_word(s, "always")) {
		open_span(hours, days_set, 0, DAY_MINUTES);
		skip_blanks(s);
		return 0;
	}
	if (!*s->at || *s->at == ';')
		return fail(s, "hours are missing behind the day");
	do {
		if (take_span(s, days_set, hours) < 0)
			return -1;
		skip_blanks(s);
	} while (*s->at == ',' &&
		 is_digit(s->at[1 + strspn(s->at + 1, " \t")]) && s->at++);
	return 0;
}

/* ---- all of it ---- */

static int take_parts(struct scan *s, struct vol_hours *hours)
{
	unsigned set;

	do {
		skip_blanks(s);
		s->part = s->at;
		if (take_days(s, &set) < 0 || take_times(s, set, hours) < 0)
			return -1;
	} while (take_char(s, ';') || take_char(s, ','));
	return *s->at ? fail(s, "';' or the end is expected behind the hours")
		      : 0;
}

int vol_hours_parse(const char *text, struct vol_hours *hours,
		    struct vol_error *err)
{
	struct scan s = {.at = text, .part = text, .err = err};
	struct vol_hours fresh = {{0}};

	if (!text)
		return vol_errorf_errno(err, EINVAL, "no hours given");
	skip_blanks(&s);
	if (take_word(&s, "always"))
		open_span(&fresh, (1u << DAYS) - 1, 0, DAY_MINUTES);
	else if (!take_word(&s, "never") && take_parts(&s, &fresh) < 0)
		return -1;
	skip_blanks(&s);
	if (*s.at)
		return fail(&s, "nothing may follow 'always' or 'never'");
	*hours = fresh;
	return 0;
}

bool vol_hours_open(const struct vol_hours *hours, unsigned minute)
{
	return hours->bits[minute / 64] >> minute % 64 & 1;
}

unsigned vol_hours_change(const struct vol_hours *hours, unsigned minute)
{
	bool now = vol_hours_open(hours, minute);
	unsigned ahead;

	for (ahead = 1; ahead < VOL_WEEK_MINUTES; ahead++) {
		if (vol_hours_open(hours,
				   (minute + ahead) % VOL_WEEK_MINUTES) != now)
			return ahead;
	}
	return 0;
}

unsigned vol_hours_minute(const struct tm *tm)
{
	return (unsigned)((tm->tm_wday + 6) % 7 * 24 * 60 + tm->tm_hour * 60 +
			  tm->tm_min);
}

time_t vol_hours_next(const struct vol_hours *hours, const struct tm *now)
{
	unsigned ahead = vol_hours_change(hours, vol_hours_minute(now));
	struct tm tm = *now;

	if (ahead == 0)
		return 0;
	tm.tm_min += (int)ahead;
	tm.tm_sec = 0;
	tm.tm_isdst = -1;
	return mktime(&tm);
}
