/* SPDX-License-Identifier: GPL-2.0-or-later */
/* owner_view.c - the owner's side of a device's status, for people; pure
 *
 * The page is made of small JSON objects of texts, which table.c aligns and
 * makes harmless to a terminal.
 */
#include "config.h"

#include <inttypes.h>
#include <pwd.h>
#include <stdarg.h>
#include <string.h>

#include "owner_view.h"
#include "owner_words.h"
#include "sandbox_view.h"
#include "table.h"
#include "units.h"
#include "when.h"

#define ROW_SIZE  512
#define BAR_WIDTH 40

__attribute__((format(printf, 3, 4))) static void row(json_t *page,
						      const char *name,
						      const char *fmt, ...)
{
	char text[ROW_SIZE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	json_object_set_new(page, name, json_string(text));
}

/* ---- reactions ---- */

static const char *show_us(uint64_t us, char *buf, size_t size)
{
	if (us < 1000)
		snprintf(buf, size, "%" PRIu64 "us", us);
	else if (us < 1000 * 1000)
		snprintf(buf, size, "%.3gms", (double)us / 1000);
	else
		snprintf(buf, size, "%.3gs", (double)us / 1000000);
	return buf;
}

static uint64_t item(const json_t *list, size_t i)
{
	json_int_t n = json_integer_value(json_array_get(list, i));

	return n > 0 ? (uint64_t)n : 0;
}

/* "within 2ms" for the reaction that has pct per cent of all at or below it. */
static void within(const json_t *reactions, unsigned pct, char *buf,
		   size_t size)
{
	const json_t *bounds = json_object_get(reactions, "bounds_us");
	const json_t *counts = json_object_get(reactions, "counts");
	uint64_t want, sum = 0;
	char us[32];
	size_t i;

	want = (vol_get_number(reactions, "count") * pct + 99) / 100;
	for (i = 0; i < json_array_size(bounds); i++) {
		sum += item(counts, i);
		if (sum < want)
			continue;
		snprintf(buf, size, "within %s",
			 show_us(item(bounds, i), us, sizeof(us)));
		return;
	}
	i = json_array_size(bounds);
	snprintf(buf, size, "over %s",
		 show_us(i ? item(bounds, i - 1) : 0, us, sizeof(us)));
}

static void reactions_row(json_t *page, const json_t *reactions)
{
	uint64_t count = vol_get_number(reactions, "count");
	char half[48], most[48], max[32], last[32];

	if (!json_is_object(reactions))
		return;
	if (!count) {
		row(page, "reactions", "no job had to stop yet");
		return;
	}
	within(reactions, 50, half, sizeof(half));
	within(reactions, 99, most, sizeof(most));
	row(page, "reactions",
	    "%" PRIu64 ": half %s, 99%% %s, slowest %s, last %s", count, half,
	    most,
	    show_us(vol_get_number(reactions, "max_us"), max, sizeof(max)),
	    show_us(vol_get_number(reactions, "last_us"), last, sizeof(last)));
}

void vol_reactions_chart(FILE *out, const json_t *reactions)
{
	const json_t *bounds = json_object_get(reactions, "bounds_us");
	const json_t *counts = json_object_get(reactions, "counts");
	size_t i, j, first = 0, n = json_array_size(counts);
	uint64_t most = 1, bound, bar;
	char us[32];

	/* Empty ends tell nothing. */
	while (n > 0 && !item(counts, n - 1))
		n--;
	while (first < n && !item(counts, first))
		first++;
	for (i = first; i < n; i++)
		most = item(counts, i) > most ? item(counts, i) : most;
	for (i = first; i < n; i++) {
		bool over = i >= json_array_size(bounds);

		bound = item(bounds, over ? i - 1 : i);
		bar = (item(counts, i) * BAR_WIDTH + most - 1) / most;
		fprintf(out, "%7s %6s  %6" PRIu64 "  ",
			over ? "over" : "within",
			show_us(bound, us, sizeof(us)), item(counts, i));
		for (j = 0; j < bar; j++)
			putc('#', out);
		putc('\n', out);
	}
}

/* ---- rows ---- */

/* What decides when it is not a sensor. */
static const char *decider(const char *cause)
{
	static const char *const words[][2] = {
		{"leaving", "discoveryd, which is being stopped"},
		{"sleep", "sleep or shutdown of the machine"},
		{"blind", "a part of discoveryd that does not work"},
		{"sandbox", "the walls around jobs, which can not be built"},
		{"paused", "the owner's pause"},
		{"hours", "the owner's hours"},
		{"cut_off", "the link to the controller, which is down"},
	};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(words[i][0], cause))
			return words[i][1];
	return NULL;
}

static void decider_row(json_t *page, const json_t *owner)
{
	const json_t *presence = json_object_get(owner, "presence");
	const json_t *verdict = json_object_get(owner, "verdict");
	const char *other = decider(vol_get_text(verdict, "cause"));
	const char *detail = vol_get_text(presence, "detail");
	const char *sensor = vol_get_text(presence, "sensor");
	char wait[32];

	if (other)
		row(page, "decided by", "%s", other);
	else if (*sensor)
		row(page, "decided by", "%s, %s for %s%s%s",
		    vol_sensor_words(sensor), vol_get_text(presence, "says"),
		    vol_table_duration(vol_get_number(presence, "for_ms"), wait,
				       sizeof(wait)),
		    *detail ? ": " : "", detail);
}

static void since_row(json_t *page, const json_t *owner, time_t now)
{
	time_t since = (time_t)vol_get_number(owner, "since");
	char when[32], wait[32];

	if (!since)
		return;
	row(page, "since", "%s (for %s)",
	    vol_when(since, now, when, sizeof(when)),
	    vol_table_duration(now > since ? (uint64_t)(now - since) * 1000 : 0,
			       wait, sizeof(wait)));
}

static void pause_row(json_t *page, const json_t *owner, time_t now)
{
	const json_t *pause = json_object_get(owner, "pause");
	time_t until = (time_t)vol_get_number(pause, "until");
	char when[32];

	if (!json_is_object(pause))
		return;
	if (!vol_get_flag(pause, "on"))
		row(page, "pause", "none");
	else if (!until)
		row(page, "pause", "until \"volunteer resume\"");
	else
		row(page, "pause", "until %s",
		    vol_when(until, now, when, sizeof(when)));
}

static void jobs_row(json_t *page, const json_t *owner)
{
	struct vol_job_count count = vol_owner_jobs(owner);

	if (!json_is_array(json_object_get(owner, "jobs")))
		return;
	if (count.frozen && count.running)
		row(page, "jobs", "%zu running, %zu frozen", count.running,
		    count.frozen);
	else if (count.frozen)
		row(page, "jobs", "%zu frozen", count.frozen);
	else if (count.running)
		row(page, "jobs", "%zu running", count.running);
	else
		row(page, "jobs", "none");
}

/* A job on its way out, or one that goes on. */
static void saving_row(json_t *page, const json_t *saving)
{
	bool sends = strcmp(vol_get_text(saving, "stage"), "send") == 0;
	bool stays = strcmp(vol_get_text(saving, "cause"), "periodic") == 0;
	char size[32];

	if (json_is_object(saving))
		row(page, "saving", "job %" PRIu64 " %s, %s %s",
		    vol_get_number(saving, "job"),
		    stays ? "in case it is lost" : "before it moves",
		    vol_size_format(vol_get_number(saving, "bytes"), size,
				    sizeof(size)),
		    sends ? "sent" : "written");
}

/* Sensors that can not tell, each with its reason. */
static void blind_row(json_t *page, const json_t *owner)
{
	const json_t *sensor;
	char text[ROW_SIZE] = "";
	size_t i, len = 0;

	json_array_foreach(json_object_get(owner, "sensors"), i, sensor) {
		const char *detail = vol_get_text(sensor, "detail");

		if (strcmp(vol_get_text(sensor, "says"), "unknown") != 0 ||
		    len >= sizeof(text))
			continue;
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					"%s%s%s%s%s", len ? "; " : "",
					vol_get_text(sensor, "sensor"),
					*detail ? " (" : "", detail,
					*detail ? ")" : "");
	}
	if (len)
		row(page, "not working", "%s", text);
}

static void walls_row(json_t *page, const json_t *slice)
{
	uint64_t high = vol_get_number(slice, "memory_high");
	char text[ROW_SIZE], memory[32] = "";

	if (!json_is_object(slice))
		return;
	if (high)
		vol_size_format(high, memory, sizeof(memory));
	snprintf(text, sizeof(text), "%s%s%s%s%s",
		 vol_get_flag(slice, "own_slice") ? ", a slice of their own"
						  : "",
		 vol_get_flag(slice, "cpu_idle") ? ", idle CPU time only" : "",
		 vol_get_flag(slice, "io_weight") ? ", last at the disk" : "",
		 high ? ", memory up to " : "", memory);
	row(page, "walls", "%s", *text ? text + 2 : "none");
	if (*vol_get_text(slice, "missing"))
		row(page, "missing walls", "%s",
		    vol_get_text(slice, "missing"));
}

static void notes_rows(json_t *page, const json_t *notes)
{
	const json_t *note;
	char name[32] = "note";
	size_t i;

	json_array_foreach(notes, i, note) {
		if (i > 0)
			snprintf(name, sizeof(name), "note %zu", i + 1);
		json_object_set(page, name, (json_t *)note);
	}
}

/* ---- tables ---- */

/* Slurm's numbers of steps that have a name. */
static json_t *show_step(const json_t *job)
{
	switch (vol_get_number(job, "step")) {
	case 0xfffffffa:
		return json_string("interactive");
	case 0xfffffffb:
		return json_string("batch");
	case 0xfffffffc:
		return json_string("extern");
	default:
		return json_incref(json_object_get(job, "step"));
	}
}

static void jobs_table(FILE *out, const json_t *jobs, time_t now)
{
	static const struct vol_column columns[] = {
		{"JOB", "job"},     {"STEP", "step"},     {"USER", "user"},
		{"TASKS", "tasks"}, {"MEMORY", "memory"}, {"NOW", "now"},
		{NULL, NULL},
	};
	json_t *list = json_array(), *shown;
	const json_t *job;
	char memory[32];
	size_t i;

	if (json_array_size(jobs) > 0)
		putc('\n', out);
	json_array_foreach(jobs, i, job) {
		uid_t uid = (uid_t)vol_get_number(job, "uid");
		struct passwd *pw = getpwuid(uid);

		shown = json_copy((json_t *)job);
		json_object_set_new(shown, "step", show_step(job));
		json_object_set_new(shown, "user",
				    pw ? json_string(pw->pw_name)
				       : json_integer(uid));
		if (json_is_integer(json_object_get(job, "memory")))
			json_object_set_new(
				shown, "memory",
				json_string(vol_size_format(
					vol_get_number(job, "memory"), memory,
					sizeof(memory))));
		json_object_set_new(shown, "now",
				    json_string(vol_get_flag(job, "frozen")
							? "frozen"
							: "running"));
		json_array_append_new(list, shown);
	}
	if (json_array_size(jobs) > 0)
		vol_table_print(out, list, columns, now);
	json_decref(list);
}

static void sensors_table(FILE *out, const json_t *sensors, time_t now)
{
	static const struct vol_column columns[] = {
		{"SENSOR", "sensor"}, {"SAYS", "says"}, {"FOR", "for"},
		{"DETAIL", "detail"}, {NULL, NULL},
	};
	json_t *list = json_array(), *shown;
	const json_t *sensor;
	char wait[32];
	size_t i;

	json_array_foreach(sensors, i, sensor) {
		shown = json_copy((json_t *)sensor);
		json_object_set_new(shown, "for",
				    json_string(vol_table_duration(
					    vol_get_number(sensor, "for_ms"),
					    wait, sizeof(wait))));
		json_array_append_new(list, shown);
	}
	if (i > 0) {
		putc('\n', out);
		vol_table_print(out, list, columns, now);
	}
	json_decref(list);
}

/* ---- the page ---- */

static void sandbox_row(json_t *page, const json_t *sandbox)
{
	char text[ROW_SIZE];

	const char *runtime = vol_get_text(sandbox, "runtime");

	if (sandbox)
		row(page, "sandbox", "%s",
		    vol_sandbox_line(sandbox, text, sizeof(text)));
	/* The whole name is in sandbox --show. */
	if (*runtime)
		row(page, "system", "image %.12s, in place of this machine's",
		    runtime);
}

/* What is missing until this machine is a device of a cluster. */
static void door_row(json_t *page, const json_t *door)
{
	const char *code = json_string_value(json_object_get(door, "code"));
	const char *key = json_string_value(json_object_get(door, "key"));
	bool waits = json_is_true(json_object_get(door, "waits"));

	if (json_is_true(json_object_get(door, "token")))
		row(page, "joining", "looks for the controller of its token");
	else if (json_is_true(json_object_get(door, "unbelieved")) && code &&
		 *code)
		row(page, "joining",
		    "a controller approves of this machine. Did it show code "
		    "%s? Then: volunteer join %s",
		    code, code);
	else if (json_is_true(json_object_get(door, "unbelieved")))
		row(page, "joining",
		    "a controller approves of this machine, which does not "
		    "know it: volunteer join TOKEN");
	else if (!waits && json_is_true(json_object_get(door, "bad_token")))
		row(page, "joining",
		    "the token was not valid, or not any more; ask for "
		    "another one");
	else if (waits && key && *key)
		row(page, "joining", "waits for approval, code %s", code);
	else if (waits)
		row(page, "joining",
		    "waits for approval, code %s. Does the controller show the "
		    "same? Then: volunteer join %s",
		    code, code);
}

static void summary(FILE *out, const json_t *status, time_t now)
{
	const json_t *owner = json_object_get(status, "owner");
	const json_t *reactions = json_object_get(owner, "reactions");
	json_t *page = json_object();
	char text[ROW_SIZE];

	vol_owner_headline(owner, now, text, sizeof(text));
	row(page, "state", "%s", text);
	door_row(page, json_object_get(status, "door"));
	since_row(page, owner, now);
	decider_row(page, owner);
	if (vol_owner_opens(owner, now, text, sizeof(text)))
		row(page, "opens", "%s if nothing happens", text);
	pause_row(page, owner, now);
	jobs_row(page, owner);
	saving_row(page, json_object_get(owner, "saving"));
	reactions_row(page, reactions);
	blind_row(page, owner);
	sandbox_row(page, json_object_get(status, "sandbox"));
	walls_row(page, json_object_get(owner, "slice"));
	notes_rows(page, json_object_get(owner, "notes"));
	vol_table_print_object(out, page, now);
	json_decref(page);
}

/* What a device says besides: link, node, slurmd. */
static void rest(FILE *out, const json_t *status, time_t now)
{
	json_t *other = json_copy((json_t *)status);

	json_object_del(other, "owner");
	json_object_del(other, "sandbox");
	json_object_del(other, "door");
	json_object_del(other, "steps"); /* in the table of jobs */
	if (json_object_size(other) > 0) {
		putc('\n', out);
		vol_table_print_object(out, other, now);
	}
	json_decref(other);
}

void vol_owner_view(FILE *out, const json_t *status, time_t now)
{
	const json_t *owner = json_object_get(status, "owner");
	const json_t *reactions = json_object_get(owner, "reactions");

	summary(out, status, now);
	jobs_table(out, json_object_get(owner, "jobs"), now);
	sensors_table(out, json_object_get(owner, "sensors"), now);
	if (vol_get_number(reactions, "count")) {
		fputs("\nFrom input to frozen jobs:\n", out);
		vol_reactions_chart(out, reactions);
	}
	rest(out, status, now);
}

void vol_owner_log(FILE *out, const json_t *events)
{
	const json_t *event;
	char when[32], what[64], text[ROW_SIZE];
	size_t i;

	json_array_foreach(events, i, event) {
		fprintf(out, "%s  %-9s  %s\n",
			vol_when_exact(
				(time_t)(vol_get_number(event, "time_ms") /
					 1000),
				when, sizeof(when)),
			vol_table_cell("", json_object_get(event, "what"), 0,
				       what, sizeof(what)),
			vol_table_cell("", json_object_get(event, "text"), 0,
				       text, sizeof(text)));
	}
}
