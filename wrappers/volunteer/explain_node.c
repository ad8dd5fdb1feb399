/* SPDX-License-Identifier: GPL-2.0-or-later */
/* explain_node.c - what the scheduler knows about a device; pure */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "explain.h"
#include "explain_words.h"
#include "outlook_view.h"
#include "owner_words.h"
#include "paragraph.h"
#include "table.h"
#include "when.h"

/* Jobs that people have an idea of. */
static const uint32_t sample_s[] = {600, 3600, 8 * 3600};

static json_t *jobs_json(const struct vol_nodetable_node *n)
{
	struct vol_score_figures f;
	struct vol_score_plan plan;
	struct vol_score_node node;
	json_t *list = json_array();
	size_t i;

	vol_score_node(&node, &n->outlook, n->speed);
	for (i = 0; list && i < sizeof(sample_s) / sizeof(sample_s[0]); i++) {
		struct vol_slurm_request r = {.limit_min = sample_s[i] / 60};
		struct vol_score_job job;

		vol_choice_facts(&r, &job);
		vol_score_plan(&plan, &job);
		vol_score_explain(&plan, &node, &f);
		json_array_append_new(
			list, json_pack("{s:I, s:f, s:f, s:f}", "limit_s",
					(json_int_t)sample_s[i], "chance",
					f.evicted, "wasted_s", f.wasted_s,
					"completion_s", f.completion_s));
	}
	return list;
}

/* slurmctld keeps the reasons of nodes that are back in service. */
static bool is_out(const struct vol_slurm_node *slurm)
{
	return slurm && (slurm->drained || slurm->down);
}

json_t *vol_explain_node(const struct vol_node_facts *facts, time_t now)
{
	const struct vol_nodetable_node *n = facts->node;
	bool open = n->state == VOL_NODETABLE_OPEN;
	uint64_t silent_s =
		facts->now_s > n->heard_s ? facts->now_s - n->heard_s : 0;
	char words[256];

	vol_choice_state_words(n, facts->now_s, now, words, sizeof(words));
	return json_pack(
		"{s:s, s:s, s:I, s:s, s:s, s:I, s:I, s:b, s:I, s:I, s:I, "
		"s:{s:I, s:I, s:I, s:I}, s:s, s:s, s:b, s:o, s:O*, s:o}",
		"node", n->name, "state", vol_nodetable_state_name(n->state),
		"since", (json_int_t)n->since, "why", n->why, "state_words",
		words, "away_since", (json_int_t)n->away_since, "closes_at",
		(json_int_t)n->closes_at, "battery", (int)n->on_battery,
		"speed", (json_int_t)n->speed, "silent_s", (json_int_t)silent_s,
		"table_age_ms", (json_int_t)facts->age_ms, "evictions", "day",
		(json_int_t)n->evictions_day, "week",
		(json_int_t)n->evictions_week, "all", (json_int_t)n->evictions,
		"last", (json_int_t)n->last_eviction, "slurm_state",
		facts->slurm ? facts->slurm->state : "", "slurm_reason",
		is_out(facts->slurm) ? facts->slurm->reason : "",
		"select_active", (int)facts->select_active, "forecast",
		open ? vol_outlook_json(&n->outlook) : json_null(), "history",
		facts->history, "jobs", open ? jobs_json(n) : json_array());
}

/* ---- for people ---- */

static void since_clause(FILE *f, const json_t *node, const char *key,
			 time_t now)
{
	time_t since = (time_t)vol_get_number(node, key);
	char when[32], span[VOL_WORDS_SIZE];

	if (since)
		fprintf(f, " since %s (for %s)",
			vol_when(since, now, when, sizeof(when)),
			vol_words_span((double)(now - since), span));
}

static void state_sentences(FILE *f, const json_t *node, time_t now)
{
	const char *state = vol_get_text(node, "state");
	const char *name = vol_get_text(node, "node");
	time_t closes = (time_t)vol_get_number(node, "closes_at");
	char when[32], span[VOL_WORDS_SIZE];

	if (strcmp(state, "open") != 0) {
		fprintf(f, "%s takes no jobs", name);
		since_clause(f, node, "since", now);
		fprintf(f, ": %s.",
			vol_get_text(node, *vol_get_text(node, "why")
						   ? "why"
						   : "state_words"));
		return;
	}
	fprintf(f, "%s is open for jobs", name);
	since_clause(f, node, "since", now);
	if (vol_get_number(node, "away_since")) {
		fputs("; its owner is away", f);
		since_clause(f, node, "away_since", now);
	}
	fputs(".", f);
	if (closes > now)
		fprintf(f, " It closes at %s (in %s).",
			vol_when(closes, now, when, sizeof(when)),
			vol_words_span((double)(closes - now), span));
}

static void machine_sentences(FILE *f, const json_t *node)
{
	const char *slurm = vol_get_text(node, "slurm_state");
	const char *reason = vol_get_text(node, "slurm_reason");
	uint32_t speed = (uint32_t)vol_get_number(node, "speed");
	char buf[VOL_WORDS_SIZE];

	if (vol_get_flag(node, "battery"))
		fputs(" It runs on battery.", f);
	if (speed)
		fprintf(f, " Its speed is %s that of a usual device here.",
			vol_words_speed(speed, buf));
	if (*slurm)
		fprintf(f, " Slurm has it as %s%s%s.", slurm,
			*reason ? ": " : "", reason);
}

static void evictions_sentence(FILE *f, const json_t *node, time_t now)
{
	const json_t *e = json_object_get(node, "evictions");
	time_t last = (time_t)vol_get_number(e, "last");
	char when[32];

	if (!vol_get_number(e, "all")) {
		fputs(" No job has been evicted from it yet.", f);
		return;
	}
	fprintf(f,
		" Jobs evicted by its owner: %ju in 24 hours, %ju in 7 days, "
		"%ju altogether",
		(uintmax_t)vol_get_number(e, "day"),
		(uintmax_t)vol_get_number(e, "week"),
		(uintmax_t)vol_get_number(e, "all"));
	if (last)
		fprintf(f, ", the last %s %s",
			now - last > 20 * 3600 ? "on" : "at",
			vol_when(last, now, when, sizeof(when)));
	fputs(".", f);
}

/* Who comes within the hour comes within the day, too. */
static void history_sentences(FILE *f, const json_t *node)
{
	const json_t *history = json_object_get(node, "history");
	const json_t *line, *last = NULL;
	size_t i;

	json_array_foreach(history, i, line) {
		if (!last || !vol_explain_same_history(line, last))
			vol_explain_history(f, line);
		last = line;
	}
}

static void forecast_sentence(FILE *f, const json_t *node)
{
	static const char *const keys[][2] = {{"1h", "1 hour"},
					      {"4h", "4 hours"},
					      {"8h", "8 hours"},
					      {"24h", "24 hours"}};
	const json_t *forecast = json_object_get(node, "forecast");
	char buf[VOL_WORDS_SIZE], median[VOL_WORDS_SIZE * 2];
	const char *between = "The chance that it stays open: ";
	size_t i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const json_t *chance = json_object_get(forecast, keys[i][0]);

		if (!json_is_number(chance))
			continue;
		fprintf(f, "%s%s for %s", between,
			vol_words_chance(json_number_value(chance), buf),
			keys[i][1]);
		between = ", ";
	}
	vol_outlook_median(forecast, median, sizeof(median));
	fprintf(f, ". Half of the time it stays for %s%s.",
		*median == '>' ? "more than " : "at least ",
		median + (*median == '>'));
}

static void print_jobs(FILE *out, const json_t *jobs, time_t now)
{
	static const struct vol_column columns[] = {
		{"TIME-LIMIT", "limit_s"},
		{"OWNER-BACK", "chance"},
		{"WASTED", "wasted_s"},
		{"DONE-AFTER", "completion_s"},
		{NULL, NULL},
	};
	static const char *const keys[] = {"limit_s", "wasted_s",
					   "completion_s"};
	json_t *rows = json_array(), *row;
	char buf[VOL_WORDS_SIZE];
	const json_t *job;
	size_t i, k;

	json_array_foreach(jobs, i, job) {
		row = json_object();
		for (k = 0; k < sizeof(keys) / sizeof(keys[0]); k++)
			json_object_set_new(
				row, keys[k],
				json_string(vol_words_span(
					json_number_value(
						json_object_get(job, keys[k])),
					buf)));
		json_object_set_new(row, "chance",
				    json_string(vol_words_chance(
					    json_number_value(json_object_get(
						    job, "chance")),
					    buf)));
		json_array_append_new(rows, row);
	}
	vol_table_print(out, rows, columns, now);
	json_decref(rows);
}

void vol_explain_node_view(FILE *out, const json_t *node, time_t now)
{
	const json_t *jobs = json_object_get(node, "jobs");
	struct vol_paragraph p;

	vol_paragraph_begin(&p);
	if (!p.f)
		return;
	state_sentences(p.f, node, now);
	machine_sentences(p.f, node);
	evictions_sentence(p.f, node, now);
	history_sentences(p.f, node);
	if (!vol_get_flag(node, "select_active"))
		fputs(" The select plugin is not active: Slurm does not look "
		      "at any of this (volunteer select --status).",
		      p.f);
	vol_paragraph_end(&p, out);
	if (!json_is_object(json_object_get(node, "forecast")))
		return;
	fputs("\n", out);
	vol_paragraph_begin(&p);
	if (!p.f)
		return;
	forecast_sentence(p.f, node);
	vol_paragraph_end(&p, out);
	if (json_array_size(jobs)) {
		fputs("\n", out);
		print_jobs(out, jobs, now);
	}
}
