/* SPDX-License-Identifier: GPL-2.0-or-later */
/* explain_job_view.c - the page about a job, for people; pure */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "explain.h"
#include "explain_words.h"
#include "owner_words.h"
#include "paragraph.h"
#include "table.h"
#include "when.h"

/* More nodes than that are summed up, unless all are asked for. */
#define ROWS_MAX 20

/* ---- tables ---- */

static void set_text(json_t *row, const char *key, const char *text)
{
	json_object_set_new(row, key, json_string(text));
}

static void set_span(json_t *row, const json_t *node, const char *key)
{
	char buf[VOL_WORDS_SIZE];
	const json_t *value = json_object_get(node, key);

	if (json_is_number(value))
		set_text(row, key,
			 vol_words_span(json_number_value(value), buf));
}

static json_t *row_of(const json_t *node)
{
	const json_t *chance = json_object_get(node, "chance");
	json_t *row = json_object();
	char buf[VOL_WORDS_SIZE];

	json_object_update(row, (json_t *)node);
	if (json_is_number(chance))
		set_text(row, "chance",
			 vol_words_chance(json_number_value(chance), buf));
	set_span(row, node, "wasted_s");
	set_span(row, node, "completion_s");
	if (vol_get_number(node, "speed"))
		set_text(row, "speed",
			 vol_words_speed(
				 (uint32_t)vol_get_number(node, "speed"), buf));
	else
		json_object_del(row, "speed");
	if (json_is_false(json_object_get(node, "device")) &&
	    !*vol_get_text(node, "why"))
		set_text(row, "why", "no volunteer device");
	return row;
}

static void print_nodes(FILE *out, const json_t *nodes,
			const struct vol_column *columns, bool all, time_t now)
{
	json_t *rows = json_array();
	size_t i, n = json_array_size(nodes), most = all ? n : ROWS_MAX;

	for (i = 0; i < n && i < most; i++)
		json_array_append_new(rows, row_of(json_array_get(nodes, i)));
	vol_table_print(out, rows, columns, now);
	if (n > most)
		fprintf(out, "... and %zu more (--all)\n", n - most);
	json_decref(rows);
}

/* ---- a job that waits ---- */

static const struct {
	const char *key, *one, *many;
} kinds[] = {
	{"held", "is free, but its owner will likely be back too soon",
	 "are free, but their owners will likely be back too soon"},
	{"owner", "is in use by its owner", "are in use by their owners"},
	{"closed", "is closed", "are closed"},
	{"no link", "has no link", "have no link"},
	{"busy", "is busy with other jobs", "are busy with other jobs"},
	{"out of service", "is down or drained", "are down or drained"},
	{"can not", "can not go on with it", "can not go on with it"},
};

static void count_sentence(FILE *f, const json_t *now)
{
	uint64_t fits = vol_get_number(now, "fits"), n, all = fits;
	uint64_t unwanted = vol_get_number(now, "not wanted");
	const char *between = fits ? "; " : ": ";
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		all += vol_get_number(now, kinds[i].key);
	if (!all) {
		fprintf(f, " No volunteer device is what it asks for.");
		return;
	}
	if (fits == all)
		fprintf(f, " %s that it could run on %s free now",
			all == 1 ? "The one device" : "All devices",
			all == 1 ? "is" : "are");
	else if (fits)
		fprintf(f,
			" Of the %ju devices that it could run on %ju %s free "
			"now",
			(uintmax_t)all, (uintmax_t)fits,
			fits == 1 ? "is" : "are");
	else if (vol_get_number(now, "held"))
		fprintf(f, " %s that it could run on will do now",
			all == 1 ? "Not the one device"
				 : "None of the devices");
	else
		fprintf(f, " %s that it could run on %s free now",
			all == 1 ? "The one device" : "None of the devices",
			all == 1 ? "is not" : "is");
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		n = vol_get_number(now, kinds[i].key);
		if (!n)
			continue;
		fprintf(f, "%s%ju %s", between, (uintmax_t)n,
			n == 1 ? kinds[i].one : kinds[i].many);
		between = ", ";
	}
	fputs(".", f);
	if (unwanted)
		fprintf(f, " %ju more %s not what it asks for.",
			(uintmax_t)unwanted, unwanted == 1 ? "is" : "are");
}

/* Free devices, and still it waits for nodes. */
static void doubt_sentence(FILE *f, const json_t *job, const json_t *now)
{
	const char *reason = vol_get_text(job, "reason");
	uint64_t free =
		vol_get_number(now, "fits") + vol_get_number(now, "others");
	uint64_t wanted = vol_get_number(job, "min_nodes");

	if (free < wanted && wanted > 1)
		fprintf(f, " It needs %ju nodes at once.", (uintmax_t)wanted);
	else if (free && (!strcmp(reason, "Resources") ||
			  !strcmp(reason, "BadConstraints")))
		fputs(" Slurm looks again within seconds; which cores and "
		      "what GRES it needs, and reservations, are not looked "
		      "at here.",
		      f);
	if (vol_get_flag(now, "unsure"))
		fputs(" Its constraint is too complex to be looked at here.",
		      f);
}

static void restarts_sentence(FILE *f, const json_t *job)
{
	uint64_t n = vol_get_number(job, "restarts");

	if (n == 1)
		fputs(" It had to begin again once.", f);
	else if (n)
		fprintf(f, " It had to begin again %ju times.", (uintmax_t)n);
}

static void limit_clause(FILE *f, const json_t *limit)
{
	char span[VOL_WORDS_SIZE];

	if (json_is_integer(limit))
		fprintf(f, " (time limit %s)",
			vol_words_span(json_number_value(limit), span));
	else if (limit)
		fprintf(f, " (no time limit: taken for one of %s)",
			vol_words_span(VOL_SCORE_UNLIMITED_S, span));
}

static void history_sentences(FILE *f, const json_t *job)
{
	const json_t *history = json_object_get(job, "history"), *line;
	size_t i;

	json_array_foreach(history, i, line)
		vol_explain_history(f, line);
}

/* What it lost by its last move, or will. */
static void image_sentences(FILE *f, const json_t *job, time_t now)
{
	const json_t *image = json_object_get(job, "image");
	const json_t *unfit = json_object_get(image, "unfit");
	const char *reason = vol_get_text(json_array_get(unfit, 0), "reason");
	char when[32];

	if (!image)
		return;
	fprintf(f, " It was saved on %s at %s (image %ju)",
		vol_get_text(image, "node"),
		vol_when((time_t)vol_get_number(image, "made_at"), now, when,
			 sizeof(when)),
		(uintmax_t)vol_get_number(image, "number"));
	if (vol_get_flag(image, "waits"))
		fputs(" and waits for a device that can go on with it.", f);
	else if (*reason)
		fprintf(f,
			", but no device that is known can go on with it (%s): "
			"it waits for none, and begins anew where it is "
			"started.",
			reason);
	else
		fputs(".", f);
}

static void print_waiting(FILE *out, const json_t *job, bool all, time_t now)
{
	static const struct vol_column columns[] = {
		{"ORDER", "order"},
		{"NODE", "node"},
		{"OWNER-BACK", "chance"},
		{"WASTED", "wasted_s"},
		{"DONE-AFTER", "completion_s"},
		{"SPEED", "speed"},
		{"WEIGHT", "weight"},
		{"LEVEL", "level"},
		{"REMARK", "why"},
		{NULL, NULL},
	};
	const json_t *choices = json_object_get(job, "now");
	const char *detail = vol_get_text(job, "detail");
	const char *reason = vol_get_text(job, "reason");
	struct vol_paragraph p;

	vol_paragraph_begin(&p);
	if (!p.f)
		return;
	fprintf(p.f, "Job %s", vol_get_text(job, "job"));
	limit_clause(p.f, json_object_get(job, "limit_s"));
	fprintf(p.f, " waits in partition %s: %s, %s.",
		vol_get_text(job, "partition"), reason,
		vol_get_text(job, "means"));
	if (*detail && strcmp(detail, reason) != 0)
		fprintf(p.f, " Slurm says: %s.", detail);
	restarts_sentence(p.f, job);
	image_sentences(p.f, job, now);
	if (choices) {
		count_sentence(p.f, choices);
		doubt_sentence(p.f, job, choices);
		history_sentences(p.f, job);
	}
	if (!vol_get_flag(job, "select_active"))
		fputs(" The select plugin is not active: Slurm does not look "
		      "at what follows (volunteer select --status).",
		      p.f);
	vol_paragraph_end(&p, out);
	if (!json_array_size(json_object_get(choices, "nodes")))
		return;
	if (vol_get_number(choices, "fits") ||
	    vol_get_number(choices, "others"))
		fprintf(out, "\nIf %s could start now:\n",
			vol_get_flag(job, "many_tasks") ? "its next task"
							: "it");
	else
		fputs("\nWhat is in its way:\n", out);
	print_nodes(out, json_object_get(choices, "nodes"), columns, all, now);
}

/* ---- a job that was started ---- */

static const json_t *first_of(const json_t *nodes, const char *fate)
{
	const json_t *node;
	size_t i;

	json_array_foreach(nodes, i, node)
		if (!strcmp(vol_get_text(node, "fate"), fate))
			return node;
	return NULL;
}

static double number(const json_t *node, const char *key)
{
	return json_number_value(json_object_get(node, key));
}

/* "there it would finish after 2h 03m, including 3m of expected wasted work;
 * the chance that the owner is back before the job ends was 4%" */
static void figures_clause(FILE *f, const json_t *node)
{
	char done[VOL_WORDS_SIZE], waste[VOL_WORDS_SIZE], back[VOL_WORDS_SIZE];

	fprintf(f,
		"there it would finish after %s, including %s of expected "
		"wasted work; the chance that the owner is back before the "
		"job ends was %s",
		vol_words_span(number(node, "completion_s"), done),
		vol_words_span(number(node, "wasted_s"), waste),
		vol_words_chance(number(node, "chance"), back));
}

static void started_sentence(FILE *f, const json_t *job, const json_t *placed,
			     time_t now)
{
	time_t at = (time_t)vol_get_number(placed, "at");
	uint64_t limit = vol_get_number(placed, "limit_s");
	uint64_t save = vol_get_number(placed, "checkpoint_s");
	const char *state = vol_get_text(job, "state");
	const json_t *nodes = json_object_get(placed, "nodes"), *node;
	char when[32], span[VOL_WORDS_SIZE];
	const char *between = " on ";
	size_t i;

	fprintf(f, "%sob %s was %sstarted %s%s",
		vol_get_flag(job, "many_tasks") ? "A task of j" : "J",
		vol_get_text(job, "job"),
		strcmp(state, "pending") == 0 ? "last " : "",
		now - at > 20 * 3600 ? "on " : "at ",
		vol_when(at, now, when, sizeof(when)));
	json_array_foreach(nodes, i, node) {
		if (strcmp(vol_get_text(node, "fate"), "taken") != 0)
			continue;
		fprintf(f, "%s%s", between, vol_get_text(node, "node"));
		between = ", ";
	}
	if (limit)
		fprintf(f, "; it may run for %s",
			vol_words_span((double)limit, span));
	else
		fputs("; it has no time limit", f);
	if (save)
		fprintf(f, " and saves its state every %s",
			vol_words_span((double)save, span));
	fputs(".", f);
}

static void candidates_sentence(FILE *f, const json_t *placed)
{
	uint64_t taken = vol_get_number(placed, "taken");
	uint64_t passed = vol_get_number(placed, "passed");
	uint64_t held = vol_get_number(placed, "held");
	uint64_t dropped = vol_get_number(placed, "dropped");
	uint64_t unfit = vol_get_number(placed, "unfit");
	uint64_t others = vol_get_number(placed, "others");
	char count[VOL_WORDS_SIZE];

	fprintf(f, " Slurm had %s",
		vol_words_count(taken + passed + held + dropped, "device",
				count));
	if (others)
		fprintf(f, " and %s",
			vol_words_count(others, "other node", count));
	fprintf(f, " to choose from: %ju taken, %ju passed over",
		(uintmax_t)taken, (uintmax_t)passed);
	if (held)
		fprintf(f, ", %ju too risky", (uintmax_t)held);
	if (dropped)
		fprintf(f, ", %ju not open", (uintmax_t)dropped);
	if (unfit)
		fprintf(f,
			". %ju more could not go on with what was saved of "
			"it",
			(uintmax_t)unfit);
	fputs(".", f);
}

static void print_placement(FILE *out, const json_t *job, time_t now)
{
	static const struct vol_column columns[] = {
		{"NODE", "node"},
		{"FATE", "fate"},
		{"OWNER-BACK", "chance"},
		{"WASTED", "wasted_s"},
		{"DONE-AFTER", "completion_s"},
		{"SPEED", "speed"},
		{"WEIGHT", "weight"},
		{"LEVEL", "level"},
		{"REMARK", "why"},
		{NULL, NULL},
	};
	const json_t *placed = json_object_get(job, "placement");
	const json_t *nodes = json_object_get(placed, "nodes");
	const json_t *taken = first_of(nodes, "taken");
	const json_t *passed = first_of(nodes, "passed over");
	struct vol_paragraph p;

	vol_paragraph_begin(&p);
	if (!p.f)
		return;
	started_sentence(p.f, job, placed, now);
	if (!json_object_get(job, "now"))
		restarts_sentence(p.f, job);
	candidates_sentence(p.f, placed);
	if (json_object_get(taken, "chance")) {
		fprintf(p.f, " %s was taken: ", vol_get_text(taken, "node"));
		figures_clause(p.f, taken);
		fputs(".", p.f);
	}
	if (json_object_get(passed, "chance")) {
		fprintf(p.f, " %s was passed over (%s): ",
			vol_get_text(passed, "node"),
			vol_get_text(passed, "why"));
		figures_clause(p.f, passed);
		fputs(".", p.f);
	}
	if (!json_object_get(job, "now"))
		history_sentences(p.f, job);
	vol_paragraph_end(&p, out);
	fputs("\n", out);
	print_nodes(out, nodes, columns, true, now);
}

/* Since then days have not become other days. */
#define RECENT_S 900

/* Of those that fit, the first and the last; or the one that was taken and the
 * one that was passed over. */
size_t vol_explain_rivals(const json_t *job, time_t now, const char **names,
			  size_t max)
{
	const json_t *placed = json_object_get(job, "placement");
	const json_t *nodes = json_object_get(placed, "nodes");
	const json_t *choices = json_object_get(job, "now"), *node;
	const json_t *both[2] = {first_of(nodes, "taken"),
				 first_of(nodes, "passed over")};
	size_t i, n = 0;

	if (choices) {
		both[0] = both[1] = NULL;
		json_array_foreach(json_object_get(choices, "nodes"), i, node) {
			if (strcmp(vol_get_text(node, "fate"), "fits") != 0 ||
			    !vol_get_flag(node, "device"))
				continue;
			if (!both[0])
				both[0] = node;
			else
				both[1] = node;
		}
	} else if (now - (time_t)vol_get_number(placed, "at") > RECENT_S) {
		return 0;
	}
	for (i = 0; i < 2; i++)
		if (both[i] && n < max && *vol_get_text(both[i], "node"))
			names[n++] = vol_get_text(both[i], "node");
	return n;
}

void vol_explain_job_view(FILE *out, const json_t *job, bool all, time_t now)
{
	bool waits = !strcmp(vol_get_text(job, "state"), "pending");
	bool placed = json_object_get(job, "placement") != NULL;

	if (waits)
		print_waiting(out, job, all, now);
	if (waits && placed)
		fputs("\n", out);
	if (placed)
		print_placement(out, job, now);
}
