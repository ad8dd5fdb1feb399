/* SPDX-License-Identifier: GPL-2.0-or-later */
/* owner_why.c - why the machine is open or not, in sentences; pure */
#include "config.h"

#include <string.h>

#include "owner_view.h"
#include "owner_words.h"
#include "paragraph.h"
#include "table.h"
#include "when.h"

/* What has to happen for the machine to open; by cause, and for the owner's
 * own claims by sensor. */
static const struct {
	const char *cause, *sensor, *text;
} changes[] = {
	{"leaving", NULL,
	 "discoveryd is being stopped; it decides anew when it runs again."},
	{"sleep", NULL, "It opens again after the machine has woken up."},
	{"blind", NULL,
	 "It stays so until discoveryd works as a whole; its log says what "
	 "failed."},
	{"sandbox", NULL,
	 "It opens when the walls around jobs can be built again, which "
	 "discoveryd tries every 15 minutes and when it is reloaded."},
	{"paused", NULL, "\"volunteer resume\" ends the pause."},
	{"hours", NULL,
	 "The hours are yours: \"volunteer set hours=...\" changes them."},
	{"cut_off", NULL,
	 "It opens when the controller of the cluster is heard again."},
	{"owner", "inhibitors",
	 "It opens when no program keeps the machine awake any more."},
	{"owner", "load",
	 "It opens when your programs use less than \"max_load\" of the CPU."},
	{"owner", "pressure",
	 "It opens when your programs do not wait for memory or disk."},
	{"owner", "power",
	 "It opens on mains, or with \"volunteer set on_battery=yes\"."},
	{"owner", "heat", "It opens when the machine has cooled down."},
	{"owner", "none",
	 "Nothing here can tell whether somebody is present, and then somebody "
	 "is: make one of the sensors work."},
	{"owner", NULL, "It opens when nobody uses it for \"idle_after\"."},
};

/* ---- sentences ---- */

static void state_sentence(FILE *out, const json_t *owner, time_t now)
{
	const json_t *verdict = json_object_get(owner, "verdict");
	const char *harvest = vol_get_text(owner, "harvest");
	const char *why = vol_get_text(verdict, "why");
	time_t since = (time_t)vol_get_number(owner, "since");
	char when[32];

	if (!strcmp(harvest, "open"))
		fputs("This machine is open for jobs", out);
	else if (!strcmp(harvest, "parked"))
		fprintf(out, "The jobs on this machine %s",
			vol_owner_jobs(owner).running ? "are held back"
						      : "are frozen");
	else if (!strcmp(harvest, "draining"))
		fputs("The jobs on this machine are being moved away", out);
	else
		fputs("This machine takes no jobs", out);
	if (since)
		fprintf(out, " since %s",
			vol_when(since, now, when, sizeof(when)));
	fprintf(out, "%s%s.", *why ? ": " : "", why);
}

static void sensor_clause(FILE *out, const json_t *sensor)
{
	const char *detail = vol_get_text(sensor, "detail");
	char wait[32];

	fprintf(out, "%s %s for %s",
		vol_sensor_words(vol_get_text(sensor, "sensor")),
		vol_get_text(sensor, "says"),
		vol_table_duration(vol_get_number(sensor, "for_ms"), wait,
				   sizeof(wait)));
	if (*detail)
		fprintf(out, " (%s)", detail);
}

static void decider_sentence(FILE *out, const json_t *owner)
{
	const json_t *presence = json_object_get(owner, "presence");
	const char *sensor = vol_get_text(presence, "sensor");

	if (!vol_owner_claims(owner) || !*sensor || !strcmp(sensor, "none"))
		return;
	fputs(" What counts: ", out);
	sensor_clause(out, presence);
	putc('.', out);
}

static void sensors_sentence(FILE *out, const json_t *owner)
{
	const json_t *sensors = json_object_get(owner, "sensors"), *sensor;
	size_t i;

	json_array_foreach(sensors, i, sensor) {
		fputs(i ? "; " : " The sensors say: ", out);
		sensor_clause(out, sensor);
	}
	if (json_array_size(sensors))
		putc('.', out);
}

static void open_sentence(FILE *out, const json_t *status)
{
	const json_t *settings =
		json_object_get(json_object_get(status, "owner"), "settings");
	const char *reaction = vol_get_text(settings, "owner.reaction");

	if (!strcmp(reaction, "throttle"))
		fputs(" With the first key or mouse event its jobs are "
		      "throttled.",
		      out);
	else if (!strcmp(reaction, "evict"))
		fputs(" With the first key or mouse event its jobs stop and "
		      "leave.",
		      out);
	else
		fputs(" With the first key or mouse event its jobs stop.", out);
}

static void change_sentence(FILE *out, const json_t *owner, time_t now)
{
	const char *cause =
		vol_get_text(json_object_get(owner, "verdict"), "cause");
	const char *sensor =
		vol_get_text(json_object_get(owner, "presence"), "sensor");
	char text[128];
	size_t i;

	if (vol_owner_opens(owner, now, text, sizeof(text))) {
		fprintf(out, " If nothing happens, it opens %s.", text);
		return;
	}
	for (i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		if (strcmp(changes[i].cause, cause) != 0 ||
		    (changes[i].sensor && strcmp(changes[i].sensor, sensor)))
			continue;
		fprintf(out, " %s", changes[i].text);
		return;
	}
}

/* ---- a paragraph ---- */

void vol_owner_why(FILE *out, const json_t *status, time_t now)
{
	const json_t *owner = json_object_get(status, "owner");
	struct vol_paragraph p;

	vol_paragraph_begin(&p);
	if (!p.f)
		return;
	state_sentence(p.f, owner, now);
	if (vol_get_flag(json_object_get(owner, "verdict"), "open"))
		open_sentence(p.f, status);
	else
		decider_sentence(p.f, owner);
	sensors_sentence(p.f, owner);
	change_sentence(p.f, owner, now);
	vol_paragraph_end(&p, out);
}

/* ---- after pause and resume ---- */

static void jobs_sentence(FILE *out, const json_t *owner)
{
	const json_t *settings = json_object_get(owner, "settings");
	const char *reaction = vol_get_text(settings, "owner.reaction");
	const char *most = vol_get_text(settings, "owner.parked_max");
	struct vol_job_count count = vol_owner_jobs(owner);
	size_t n = count.frozen + count.running;

	if (!n)
		fputs(" No job was running.", out);
	else if (!strcmp(reaction, "evict"))
		fprintf(out, " Running jobs (%zu) start again elsewhere.", n);
	else
		fprintf(out,
			" Running jobs (%zu) are frozen now, and start again "
			"elsewhere when it lasts for %s.",
			n, *most ? most : "long");
}

void vol_owner_paused(FILE *out, const json_t *status, time_t now)
{
	const json_t *owner = json_object_get(status, "owner");
	const json_t *pause = json_object_get(owner, "pause");
	time_t until = (time_t)vol_get_number(pause, "until");
	char line[256], when[32];
	struct vol_paragraph p;

	vol_paragraph_begin(&p);
	if (!p.f)
		return;
	if (!vol_get_flag(pause, "on")) {
		fprintf(p.f, "Not paused. %s.",
			vol_owner_headline(owner, now, line, sizeof(line)));
		change_sentence(p.f, owner, now);
	} else {
		if (until)
			fprintf(p.f, "Paused until %s.",
				vol_when(until, now, when, sizeof(when)));
		else
			fputs("Paused until \"volunteer resume\".", p.f);
		fputs(" No new jobs come.", p.f);
		jobs_sentence(p.f, owner);
	}
	vol_paragraph_end(&p, out);
}
