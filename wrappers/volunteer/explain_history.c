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

static const char *count_of(uint64_t n, char buf[24])
{
	if (!n)
		return "none";
	snprintf(buf, 24, "%ju", (uintmax_t)n);
	return buf;
}

void vol_explain_history(FILE *f, const json_t *history)
{
	static const char *const days[] = {"Sundays",   "Mondays",
					   "Tuesdays",  "Wednesdays",
					   "Thursdays", "Fridays",
					   "Saturdays"};
	time_t from = (time_t)vol_get_number(history, "now");
	uint64_t same = vol_get_number(history, "weekdays");
	uint64_t same_back = vol_get_number(history, "weekdays_back");
	uint64_t alike = vol_get_number(history, "alike");
	uint64_t alike_back = vol_get_number(history, "alike_back");
	bool both = same && alike > same;
	char back[24];
	struct tm tm;

	if (!(same || alike) || !localtime_r(&from, &tm))
		return;
	if (same)
		fprintf(f, " On %s of the last %ju %s",
			count_of(same_back, back), (uintmax_t)same,
			days[tm.tm_wday]);
	if (both)
		fputs(" and", f);
	if (!same || both)
		fprintf(f, " %s %s of the last %ju %s", both ? "on" : "On",
			count_of(alike_back, back), (uintmax_t)alike,
			tm.tm_wday == 0 || tm.tm_wday == 6 ? "days of weekends"
							   : "workdays");
	fprintf(f, " the owner of %s was there", vol_get_text(history, "node"));
	span_clause(f, from, vol_get_number(history, "horizon_s"));
	fputs(".", f);
}
