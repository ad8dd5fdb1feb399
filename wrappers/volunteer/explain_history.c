/* SPDX-License-Identifier: GPL-2.0-or-later */
/* explain_history.c - what the owner of a device did on other days; pure */
#include "config.h"

#include "explain.h"
#include "owner_words.h"

#define DAY_S 86400

static const char *clock_of(time_t t, char buf[8])
{
	struct tm tm;

	if (!localtime_r(&t, &tm))
		return "?";
	strftime(buf, 8, "%H:%M", &tm);
	return buf;
}

/* "between 09:15 and 17:15" */
static void span_clause(FILE *f, time_t from, uint64_t horizon_s)
{
	char begin[8], end[8];

	if (horizon_s >= DAY_S)
		fprintf(f, " within a day from %s", clock_of(from, begin));
	else
		fprintf(f, " between %s and %s", clock_of(from, begin),
			clock_of(from + (time_t)horizon_s, end));
}

/* "On 3 of the last 4 Mondays"; so many days at least tell something. */
#define ENOUGH 3

static void days_clause(FILE *f, uint64_t n, uint64_t of, const char *days)
{
	if (!n)
		fprintf(f, " On none of the last %ju %s", (uintmax_t)of, days);
	else if (n == of)
		fprintf(f, " On each of the last %ju %s", (uintmax_t)of, days);
	else
		fprintf(f, " On %ju of the last %ju %s", (uintmax_t)n,
			(uintmax_t)of, days);
}

void vol_explain_history(FILE *f, const json_t *history)
{
	static const char *const days[] = {"Sundays",   "Mondays",
					   "Tuesdays",  "Wednesdays",
					   "Thursdays", "Fridays",
					   "Saturdays"};
	time_t from = (time_t)vol_get_number(history, "now");
	uint64_t same = vol_get_number(history, "weekdays");
	uint64_t alike = vol_get_number(history, "alike");
	struct tm tm;

	if (!(same || alike) || !localtime_r(&from, &tm))
		return;
	if (same >= ENOUGH || same >= alike)
		days_clause(f, vol_get_number(history, "weekdays_back"), same,
			    days[tm.tm_wday]);
	else
		days_clause(f, vol_get_number(history, "alike_back"), alike,
			    tm.tm_wday == 0 || tm.tm_wday == 6
				    ? "days of weekends"
				    : "workdays");
	fprintf(f, " the owner of %s was there", vol_get_text(history, "node"));
	span_clause(f, from, vol_get_number(history, "horizon_s"));
	fputs(".", f);
}

bool vol_explain_same_history(const json_t *a, const json_t *b)
{
	static const char *const keys[] = {"node", "weekdays", "weekdays_back",
					   "alike", "alike_back"};
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (!json_equal(json_object_get(a, keys[i]),
				json_object_get(b, keys[i])))
			return false;
	return true;
}
