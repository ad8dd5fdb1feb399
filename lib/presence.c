/* SPDX-License-Identifier: GPL-2.0-or-later */
/* presence.c - what the sensors say, and what follows from all of them
 *
 * Each sensor is first turned into the claim that it makes now, if any; then
 * one of the claims decides, and then the answer before this one tells since
 * when.
 */
#include "config.h"

#include "presence.h"

#include <string.h>

static const struct {
	const char *name, *claim;
} sensors[VOL_SENSORS] = {
	[VOL_SENSOR_INPUT] = {"input", "owner present"},
	[VOL_SENSOR_SESSIONS] = {"sessions", "owner present"},
	[VOL_SENSOR_TERMINALS] = {"terminals", "owner present"},
	[VOL_SENSOR_INHIBITORS] = {"inhibitors",
				   "owner's film or call is running"},
	[VOL_SENSOR_LOAD] = {"load", "owner's programs are busy"},
	[VOL_SENSOR_PRESSURE] = {"pressure", "owner's programs need memory"},
	[VOL_SENSOR_POWER] = {"power", "on battery"},
	[VOL_SENSOR_HEAT] = {"heat", "machine too hot"},
	[VOL_SENSOR_SLEEP] = {"sleep", "machine goes to sleep or down"},
};

/* What one sensor says about now. */
struct claim {
	enum vol_says says; /* AWAY: it has none */
	bool over, never;
	uint64_t until_ms; /* ends then by time alone */
};

static uint64_t add(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

static struct claim claim_of(const struct vol_reading *r, bool unknown_counts,
			     uint64_t idle_ms, uint64_t now_ms)
{
	struct claim c = {.says = VOL_SAYS_AWAY, .until_ms = UINT64_MAX};

	switch (r->says) {
	case VOL_SAYS_AWAY:
		if (add(r->since_ms, idle_ms) <= now_ms)
			break;
		c.says = VOL_SAYS_PRESENT;
		c.until_ms = add(r->since_ms, idle_ms);
		c.over = true;
		c.never = r->never;
		break;
	case VOL_SAYS_PRESENT:
		c.says = VOL_SAYS_PRESENT;
		break;
	case VOL_SAYS_UNKNOWN:
	default: /* a word that nobody knows is no better */
		if (unknown_counts)
			c.says = VOL_SAYS_UNKNOWN;
	}
	return c;
}

static enum vol_sensor decider(const struct claim claims[VOL_SENSORS])
{
	const struct claim *sleep = &claims[VOL_SENSOR_SLEEP];
	int i, newcomer = VOL_SENSORS;

	/* Nothing else may hide it: there is no time then. */
	if (sleep->says == VOL_SAYS_PRESENT && !sleep->over)
		return VOL_SENSOR_SLEEP;
	for (i = 0; i < VOL_SENSORS; i++) {
		if (claims[i].says == VOL_SAYS_AWAY)
			continue;
		if (!claims[i].never)
			return (enum vol_sensor)i;
		if (newcomer == VOL_SENSORS)
			newcomer = i;
	}
	return (enum vol_sensor)newcomer;
}

/* Nobody claims the machine: who was the last? */
static void nobody(const struct vol_reading readings[VOL_SENSORS],
		   uint64_t now_ms, struct vol_presence *p)
{
	bool sees_people = false;
	int i;

	for (i = 0; i < VOL_SENSORS; i++) {
		if (readings[i].says != VOL_SAYS_AWAY)
			continue;
		sees_people = sees_people || i <= VOL_SENSOR_LOAD;
		if (p->sensor != VOL_SENSORS &&
		    readings[i].since_ms <= p->since_ms)
			continue;
		p->sensor = (enum vol_sensor)i;
		p->since_ms = readings[i].since_ms;
	}
	if (sees_people) {
		p->says = VOL_SAYS_AWAY;
		return;
	}
	p->says = VOL_SAYS_UNKNOWN;
	p->sensor = VOL_SENSORS;
	p->since_ms = now_ms;
}

static bool same_words(enum vol_sensor a, enum vol_sensor b)
{
	return strcmp(vol_sensor_claim(a), vol_sensor_claim(b)) == 0;
}

/* Does what is claimed now go on without a break from the answer before? */
static bool goes_on(const struct vol_reading readings[VOL_SENSORS],
		    const struct claim claims[VOL_SENSORS],
		    const struct vol_presence *before,
		    const struct vol_presence *now)
{
	int i;

	if (before->since_ms == 0 || before->says != now->says ||
	    before->never != now->never)
		return false;
	if (now->says == VOL_SAYS_UNKNOWN)
		return before->sensor == now->sensor;
	if (now->never)
		return true;
	for (i = 0; i < VOL_SENSORS; i++) {
		if (claims[i].says == VOL_SAYS_PRESENT && !claims[i].never &&
		    same_words((enum vol_sensor)i, before->sensor) &&
		    same_words((enum vol_sensor)i, now->sensor) &&
		    readings[i].since_ms <= before->next_ms)
			return true;
	}
	return false;
}

void vol_presence_fuse(const struct vol_reading readings[VOL_SENSORS],
		       vol_sensor_set unknown_counts, uint64_t idle_ms,
		       uint64_t now_ms, struct vol_presence *presence)
{
	struct vol_presence p = {.since_ms = now_ms, .next_ms = UINT64_MAX};
	struct claim claims[VOL_SENSORS];
	int i;

	for (i = 0; i < VOL_SENSORS; i++)
		claims[i] = claim_of(&readings[i], unknown_counts & (1u << i),
				     idle_ms, now_ms);
	p.sensor = decider(claims);
	if (p.sensor == VOL_SENSORS) {
		nobody(readings, now_ms, &p);
	} else {
		p.says = claims[p.sensor].says;
		p.over = claims[p.sensor].over;
		p.never = claims[p.sensor].never;
		p.next_ms = claims[p.sensor].until_ms;
		p.since_ms = readings[p.sensor].since_ms;
	}
	if (p.says != VOL_SAYS_AWAY && goes_on(readings, claims, presence, &p))
		p.since_ms = presence->since_ms;
	if (p.sensor != VOL_SENSORS)
		memcpy(p.detail, readings[p.sensor].detail, sizeof(p.detail));
	p.detail[sizeof(p.detail) - 1] = '\0';
	*presence = p;
}

/* ---- names ---- */

const char *vol_sensor_name(enum vol_sensor sensor)
{
	return sensor < VOL_SENSORS ? sensors[sensor].name : "none";
}

enum vol_sensor vol_sensor_by_name(const char *name, size_t len)
{
	int i;

	for (i = 0; i < VOL_SENSORS; i++) {
		if (strlen(sensors[i].name) == len &&
		    memcmp(sensors[i].name, name, len) == 0)
			break;
	}
	return (enum vol_sensor)i;
}

const char *vol_sensor_claim(enum vol_sensor sensor)
{
	return sensor < VOL_SENSORS ? sensors[sensor].claim : "";
}

const char *vol_says_name(enum vol_says says)
{
	switch (says) {
	case VOL_SAYS_PRESENT:
		return "present";
	case VOL_SAYS_AWAY:
		return "away";
	case VOL_SAYS_UNKNOWN:
	default:
		return "unknown";
	}
}
