/* SPDX-License-Identifier: GPL-2.0-or-later */
/* owner_json.c - the owner's side as `volunteer status` shows it */
#include "config.h"

#include <string.h>

#include "device/owner_private.h"
#include "device/slice.h"

static json_t *verdict_json(const struct vol_owner *o)
{
	const struct vol_verdict *v = &o->verdict;

	return json_pack("{s:b, s:s, s:s, s:b}", "open", (int)v->open, "cause",
			 vol_cause_name(v->cause), "why", v->why, "urgent",
			 (int)v->urgent);
}

static json_t *presence_json(const struct vol_owner *o, uint64_t now_ms)
{
	const struct vol_presence *p = &o->presence;

	return json_pack("{s:s, s:s, s:I, s:s}", "says", vol_says_name(p->says),
			 "sensor", vol_sensor_name(p->sensor), "for_ms",
			 (json_int_t)(now_ms - p->since_ms), "detail",
			 p->detail);
}

/* When it opens if nothing happens; only the owner's absence can be foreseen
 * like that. */
static json_t *opens_in(const struct vol_owner *o, uint64_t now_ms)
{
	if (o->verdict.open || o->verdict.cause != VOL_CAUSE_OWNER ||
	    o->presence.next_ms == UINT64_MAX || o->presence.next_ms < now_ms)
		return json_null();
	return json_integer((json_int_t)(o->presence.next_ms - now_ms));
}

static json_t *saving_json(const struct vol_owner *o)
{
	return o->saver ? vol_saver_json(o->saver) : json_null();
}

static void note(json_t *notes, const char *text)
{
	if (*text)
		json_array_append_new(notes, json_string(text));
}

static json_t *notes_json(const struct vol_owner *o)
{
	json_t *notes = json_array();

	note(notes, o->memory_note);
	note(notes, o->throttle_note);
	return notes;
}

json_t *vol_owner_json(struct vol_owner *o)
{
	uint64_t now_ms = vol_sensor_now_ms();
	time_t since =
		time(NULL) - (time_t)((now_ms - o->ladder.since_ms) / 1000);

	return json_pack(
		"{s:s, s:I, s:o, s:o, s:o, s:{s:b, s:I}, s:o, s:o, s:o, s:o, "
		"s:o, s:o}",
		"harvest", vol_harvest_name(o->ladder.harvest), "since",
		(json_int_t)since, "verdict", verdict_json(o), "presence",
		presence_json(o, now_ms), "opens_in_ms", opens_in(o, now_ms),
		"pause", "on", (int)o->pause.on, "until",
		(json_int_t)o->pause.until, "sensors",
		vol_sensors_json(o->sensors), "jobs",
		vol_freezer_json(o->freezer), "reactions",
		vol_reflex_json(o->reflex), "slice",
		vol_slice_json(o->jobs_cgroup), "notes", notes_json(o),
		"saving", saving_json(o));
}
