/* SPDX-License-Identifier: GPL-2.0-or-later */
/* owner_words.c - words that the owner's pages have in common; pure */
#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "owner_words.h"
#include "table.h"
#include "when.h"

const char *vol_get_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

uint64_t vol_get_number(const json_t *object, const char *key)
{
	json_int_t number = json_integer_value(json_object_get(object, key));

	return number > 0 ? (uint64_t)number : 0;
}

bool vol_get_flag(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

const char *vol_sensor_words(const char *name)
{
	static const char *const words[][2] = {
		{"input", "keyboard or mouse"},
		{"sessions", "login sessions"},
		{"terminals", "terminals"},
		{"inhibitors", "films and calls"},
		{"load", "other programs' CPU use"},
		{"pressure", "other programs' need of memory"},
		{"power", "battery or mains"},
		{"heat", "temperature"},
		{"sleep", "sleep and shutdown"},
	};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(words[i][0], name))
			return words[i][1];
	return name;
}

bool vol_owner_claims(const json_t *owner)
{
	const json_t *verdict = json_object_get(owner, "verdict");

	return !strcmp(vol_get_text(verdict, "cause"), "owner");
}

/* Does "owner present" leave open where? */
static bool is_seen(const char *sensor)
{
	return !strcmp(sensor, "input") || !strcmp(sensor, "sessions") ||
	       !strcmp(sensor, "terminals");
}

const char *vol_owner_headline(const json_t *owner, time_t now, char *buf,
			       size_t size)
{
	const json_t *verdict = json_object_get(owner, "verdict");
	const char *harvest = vol_get_text(owner, "harvest");
	const char *why = vol_get_text(verdict, "why");
	const char *sensor =
		vol_get_text(json_object_get(owner, "presence"), "sensor");
	bool seen = vol_owner_claims(owner) && is_seen(sensor);
	char when[32];

	if (*why)
		snprintf(buf, size, "%s: %s%s%s%s", harvest, why,
			 seen ? " (" : "", seen ? vol_sensor_words(sensor) : "",
			 seen ? ")" : "");
	else if (vol_get_number(owner, "since"))
		snprintf(buf, size, "%s since %s", harvest,
			 vol_when((time_t)vol_get_number(owner, "since"), now,
				  when, sizeof(when)));
	else
		snprintf(buf, size, "%s", *harvest ? harvest : "unknown");
	if (size)
		buf[0] = (char)toupper((unsigned char)buf[0]);
	return buf;
}

/* Did an earlier row name this job? */
static bool is_known(const json_t *steps, size_t row, uint64_t job)
{
	size_t i;

	for (i = 0; i < row; i++)
		if (vol_get_number(json_array_get(steps, i), "job") == job)
			return true;
	return false;
}

static bool is_frozen(const json_t *steps, uint64_t job)
{
	const json_t *step;
	size_t i;

	json_array_foreach(steps, i, step)
		if (vol_get_number(step, "job") == job &&
		    !vol_get_flag(step, "frozen"))
			return false;
	return true;
}

struct vol_job_count vol_owner_jobs(const json_t *owner)
{
	const json_t *steps = json_object_get(owner, "jobs"), *step;
	struct vol_job_count count = {0, 0};
	uint64_t job;
	size_t i;

	json_array_foreach(steps, i, step) {
		job = vol_get_number(step, "job");
		if (is_known(steps, i, job))
			continue;
		if (is_frozen(steps, job))
			count.frozen++;
		else
			count.running++;
	}
	return count;
}

bool vol_owner_opens(const json_t *owner, time_t now, char *buf, size_t size)
{
	uint64_t ms = vol_get_number(owner, "opens_in_ms");
	char when[32], wait[32];

	if (!vol_owner_claims(owner) ||
	    !json_is_integer(json_object_get(owner, "opens_in_ms")))
		return false;
	snprintf(buf, size, "at %s (in %s)",
		 vol_when(now + (time_t)(ms / 1000), now, when, sizeof(when)),
		 vol_table_duration(ms, wait, sizeof(wait)));
	return true;
}
