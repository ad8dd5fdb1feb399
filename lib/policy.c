/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy.c - what the owner allows, and whether that means "open" now */
#include "config.h"

#include "policy.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

#define MINUTE_S     60
#define DAY_S        (24 * 3600)
#define DAY_NAMED_S  (20 * 3600) /* farther than this: with the day */
#define DATE_NAMED_S (6 * DAY_S) /* and than this: the date */

/* The wall clock may be set while we wait for a time of day. */
#define CLOCK_CHECK_MS (60 * 1000)

/* A clock that is set by more than this changes the times that were told. */
#define CLOCK_SET_S 90

#define WHEN_SIZE 32

/* ---- times for people ---- */

static void local_time(time_t t, struct tm *tm)
{
	/* localtime_r alone need not see that /etc/localtime has changed. */
	tzset();
	if (!localtime_r(&t, tm))
		memset(tm, 0, sizeof(*tm));
}

/* "10:31", "Mon 10:31" or "24 Dec", as a clock shows it. */
static const char *when(time_t t, time_t now, char buf[WHEN_SIZE])
{
	static const char *const days[] = {"Sun", "Mon", "Tue", "Wed",
					   "Thu", "Fri", "Sat"};
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr",
					     "May", "Jun", "Jul", "Aug",
					     "Sep", "Oct", "Nov", "Dec"};
	time_t away = t > now ? t - now : now - t;
	struct tm tm;

	local_time(t, &tm);
	if (away > DATE_NAMED_S)
		snprintf(buf, WHEN_SIZE, "%d %s", tm.tm_mday,
			 months[tm.tm_mon]);
	else
		snprintf(buf, WHEN_SIZE, "%s%s%02d:%02d",
			 away > DAY_NAMED_S ? days[tm.tm_wday] : "",
			 away > DAY_NAMED_S ? " " : "", tm.tm_hour, tm.tm_min);
	return buf;
}

static void say(struct vol_verdict *v, const char *what, const char *time_word,
		time_t t, time_t now)
{
	char buf[WHEN_SIZE];

	snprintf(v->why, sizeof(v->why), "%s %s %s", what, time_word,
		 when(t, now, buf));
}

/* The wall clock at ms; the one told before if it is the same moment still. */
static time_t wall_of(uint64_t ms, const struct vol_circumstances *now,
		      struct vol_verdict *v)
{
	uint64_t ago_ms = now->now_ms > ms ? now->now_ms - ms : 0;
	time_t wall = now->wall - (time_t)(ago_ms / 1000);
	time_t moved =
		wall > v->told_wall ? wall - v->told_wall : v->told_wall - wall;

	if (v->told_ms != ms || moved > CLOCK_SET_S) {
		v->told_ms = ms;
		v->told_wall = wall;
	}
	return v->told_wall;
}

/* ---- causes ---- */

static void look_again(struct vol_verdict *v, uint64_t ms)
{
	if (ms < v->next_ms)
		v->next_ms = ms;
}

/* At wall clock t, or earlier in case that the clock is set. */
static void look_again_at(struct vol_verdict *v,
			  const struct vol_circumstances *now, time_t t)
{
	uint64_t wait_ms = CLOCK_CHECK_MS;

	if (t - now->wall < CLOCK_CHECK_MS / 1000)
		wait_ms =
			t > now->wall ? (uint64_t)(t - now->wall) * 1000 : 1000;
	look_again(v, now->now_ms + wait_ms);
}

/* When the hours change, 0 = never. */
static bool outside_hours(const struct vol_policy *policy,
			  const struct vol_circumstances *now,
			  struct vol_verdict *v)
{
	static const char what[] = "outside the owner's hours";
	struct tm tm;
	unsigned minute;
	time_t change;

	local_time(now->wall, &tm);
	minute = vol_hours_minute(&tm);
	change = vol_hours_next(&policy->hours, &tm);
	if (change != 0)
		look_again_at(v, now, change);
	if (vol_hours_open(&policy->hours, minute))
		return false;
	if (change != 0)
		say(v, what, "until", change, now->wall);
	else
		snprintf(v->why, sizeof(v->why), "%s", what);
	return true;
}

static void paused(const struct vol_circumstances *now, struct vol_verdict *v)
{
	snprintf(v->why, sizeof(v->why), "paused");
	if (now->pause_until == 0)
		return;
	say(v, "paused", "until", now->pause_until, now->wall);
	look_again_at(v, now, now->pause_until);
}

static void blind_sensor(const struct vol_presence *presence,
			 struct vol_verdict *v)
{
	if (presence->sensor == VOL_SENSOR_INPUT)
		snprintf(v->why, sizeof(v->why), "no input sensor works");
	else if (presence->sensor < VOL_SENSORS)
		snprintf(v->why, sizeof(v->why), "sensor %s does not work",
			 vol_sensor_name(presence->sensor));
	else
		snprintf(v->why, sizeof(v->why), "no sensor works");
}

/* Somebody or something claims the machine, or nobody can tell. */
static void claimed(const struct vol_presence *presence,
		    const struct vol_circumstances *now, struct vol_verdict *v)
{
	const char *claim = vol_sensor_claim(presence->sensor);
	time_t since = wall_of(presence->since_ms, now, v);

	if (presence->says != VOL_SAYS_PRESENT)
		blind_sensor(presence, v);
	else if (presence->never)
		say(v, "owner may be present, idle", "since", since, now->wall);
	else if (presence->sensor == VOL_SENSOR_SLEEP)
		snprintf(v->why, sizeof(v->why), "%s",
			 presence->over ? "machine just woke up" : claim);
	else if (presence->sensor <= VOL_SENSOR_TERMINALS)
		say(v, claim, "since", since, now->wall);
	else /* comes and goes: a time would only change the text */
		snprintf(v->why, sizeof(v->why), "%s", claim);
}

static enum vol_cause cause(const struct vol_policy *policy,
			    const struct vol_presence *presence,
			    const struct vol_circumstances *now,
			    struct vol_verdict *v)
{
	/* First, since it also says when to look again. */
	bool outside = outside_hours(policy, now, v);

	if (now->leaving)
		return VOL_CAUSE_LEAVING;
	if (presence->says == VOL_SAYS_PRESENT && !presence->over &&
	    presence->sensor == VOL_SENSOR_SLEEP)
		return VOL_CAUSE_SLEEP;
	if (now->blind)
		return VOL_CAUSE_BLIND;
	if (now->walls)
		return VOL_CAUSE_WALLS;
	if (now->paused)
		return VOL_CAUSE_PAUSED;
	if (outside)
		return VOL_CAUSE_HOURS;
	if (presence->says != VOL_SAYS_AWAY)
		return VOL_CAUSE_OWNER;
	return now->cut_off ? VOL_CAUSE_CUT_OFF : VOL_CAUSE_NONE;
}

void vol_policy_decide(const struct vol_policy *policy,
		       const struct vol_presence *presence,
		       const struct vol_circumstances *now,
		       struct vol_verdict *v)
{
	v->next_ms = UINT64_MAX;
	v->cause = cause(policy, presence, now, v);
	v->open = v->cause == VOL_CAUSE_NONE;
	v->urgent =
		v->cause == VOL_CAUSE_LEAVING || v->cause == VOL_CAUSE_SLEEP;
	v->cut_off = now->cut_off;
	look_again(v, presence->next_ms);
	switch (v->cause) {
	case VOL_CAUSE_NONE:
		v->why[0] = '\0';
		break;
	case VOL_CAUSE_LEAVING:
		snprintf(v->why, sizeof(v->why), "discoveryd is leaving");
		break;
	case VOL_CAUSE_BLIND:
		snprintf(v->why, sizeof(v->why),
			 "a part of discoveryd does not work");
		break;
	case VOL_CAUSE_WALLS:
		snprintf(v->why, sizeof(v->why), VOL_WHY_WALLS "%s",
			 now->walls);
		break;
	case VOL_CAUSE_PAUSED:
		paused(now, v);
		break;
	case VOL_CAUSE_HOURS:
		break; /* said where the time is known */
	case VOL_CAUSE_SLEEP:
	case VOL_CAUSE_OWNER:
		claimed(presence, now, v);
		break;
	case VOL_CAUSE_CUT_OFF:
		snprintf(v->why, sizeof(v->why),
			 "no contact to the controller");
		break;
	}
}

/* ---- words ---- */

int vol_sensor_set_parse(const char *text, vol_sensor_set *set,
			 struct vol_error *err)
{
	static const char between[] = ", \t";
	char shown[VOL_EXCERPT_SIZE];
	vol_sensor_set fresh = 0;
	enum vol_sensor sensor;
	size_t len;

	if (!text)
		return vol_errorf_errno(err, EINVAL, "no sensors given");
	text += strspn(text, between);
	if (strcmp(text, "none") == 0) {
		*set = 0;
		return 0;
	}
	if (!*text)
		return vol_errorf_errno(err, EINVAL,
					"no sensor is named (write none)");
	for (; *text; text += len, text += strspn(text, between)) {
		len = strcspn(text, between);
		sensor = vol_sensor_by_name(text, len);
		if (sensor == VOL_SENSORS)
			return vol_errorf_errno(
				err, EINVAL, "%s is not a sensor",
				vol_text_excerpt(text, len, shown));
		fresh |= 1u << sensor;
	}
	*set = fresh;
	return 0;
}

bool vol_list_welcomes(const char *list, const char *name)
{
	static const char between[] = ", \t";
	size_t len;

	if (!list || !*list || strcmp(list, "all") == 0)
		return true;
	if (!name)
		return false;
	for (; *list; list += len) {
		list += strspn(list, between);
		len = strcspn(list, between);
		if (len > 0 && strlen(name) == len &&
		    memcmp(list, name, len) == 0)
			return true;
	}
	return false;
}

const char *vol_cause_name(enum vol_cause cause)
{
	static const char *const names[] = {
		[VOL_CAUSE_NONE] = "none",
		[VOL_CAUSE_LEAVING] = "leaving",
		[VOL_CAUSE_SLEEP] = "sleep",
		[VOL_CAUSE_BLIND] = "blind",
		[VOL_CAUSE_WALLS] = "sandbox",
		[VOL_CAUSE_PAUSED] = "paused",
		[VOL_CAUSE_HOURS] = "hours",
		[VOL_CAUSE_OWNER] = "owner",
		[VOL_CAUSE_CUT_OFF] = "cut_off",
	};

	return (unsigned)cause <= VOL_CAUSE_CUT_OFF ? names[cause] : "unknown";
}
