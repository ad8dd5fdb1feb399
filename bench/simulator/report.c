/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report.c - figures as JSON lines, and as tables for people */
#include "report.h"

#include <stdio.h>

void cell_add(struct cell *c, enum policy policy, const struct outcome *o)
{
	struct outcome *sum = &c->sum[policy];

	sum->jobs += o->jobs;
	sum->unfinished += o->unfinished;
	sum->evictions += o->evictions;
	sum->useful_h += o->useful_h;
	sum->wasted_h += o->wasted_h;
	sum->makespan_h += o->makespan_h;
	sum->turnaround_h += o->turnaround_h;
	sum->starts += o->starts;
	sum->choices += o->choices;
}

static void json_figure(const struct cell *c, const char *pattern, double load,
			enum policy policy, const char *metric, double value,
			const char *unit)
{
	printf("{\"bench\": \"sim\", \"subject\": \"%s\", \"metric\": \"%s\", "
	       "\"value\": %.4f, \"unit\": \"%s\", \"n\": %u, "
	       "\"pattern\": \"%s\", \"load\": %.2f}\n",
	       policy_names[policy], metric, value, unit, c->n, pattern, load);
}

static void json_cell(const struct cell *c, const char *pattern, double load)
{
	for (enum policy p = 0; p < POLICIES; p++) {
		const struct outcome *o = &c->sum[p];
		double n = c->n;

		if (o->jobs == 0)
			continue;
		json_figure(c, pattern, load, p, "wasted", o->wasted_h / n,
			    "h");
		json_figure(c, pattern, load, p, "useful", o->useful_h / n,
			    "h");
		json_figure(c, pattern, load, p, "evictions",
			    (double)o->evictions / n, "");
		json_figure(c, pattern, load, p, "makespan", o->makespan_h / n,
			    "h");
		json_figure(c, pattern, load, p, "turnaround",
			    o->turnaround_h / n, "h");
		json_figure(c, pattern, load, p, "unfinished",
			    (double)o->unfinished / n, "");
	}
}

void report_cell(const struct cell *c, const char *pattern, double load,
		 bool json)
{
	if (json) {
		json_cell(c, pattern, load);
		return;
	}
	printf("%s, load %.2f, mean of %u\n", pattern, load, c->n);
	printf("  %-14s %9s %9s %9s %9s %11s %8s %7s\n", "", "wasted h",
	       "useful h", "evictions", "makespan", "turnaround", "unfin.",
	       "choice");
	for (enum policy p = 0; p < POLICIES; p++) {
		const struct outcome *o = &c->sum[p];
		double n = c->n;

		if (o->jobs == 0)
			continue;
		printf("  %-14s %9.1f %9.1f %9.1f %9.1f %11.2f %8.1f %7.2f\n",
		       policy_names[p], o->wasted_h / n, o->useful_h / n,
		       (double)o->evictions / n, o->makespan_h / n,
		       o->turnaround_h / n, (double)o->unfinished / n,
		       (double)o->choices / (double)o->starts);
	}
}

void report_calibration(const struct calibration *c, const char *pattern,
			bool json)
{
	double n = c->n ? (double)c->n : 1;

	if (!json)
		printf("%s: %zu outlooks\n  said  seen      n\n", pattern,
		       c->n);
	for (unsigned int i = 0; i < CALIBRATION_BINS; i++) {
		double in = (double)c->bin[i].n;

		if (c->bin[i].n == 0)
			continue;
		if (json)
			printf("{\"bench\": \"sim\", \"subject\": \"ours\", "
			       "\"metric\": \"survival\", \"value\": %.4f, "
			       "\"unit\": \"\", \"n\": %zu, "
			       "\"pattern\": \"%s\", \"said\": %.4f}\n",
			       c->bin[i].seen / in, c->bin[i].n, pattern,
			       c->bin[i].said / in);
		else
			printf("  %.3f %.3f %7zu\n", c->bin[i].said / in,
			       c->bin[i].seen / in, c->bin[i].n);
	}
	if (json)
		printf("{\"bench\": \"sim\", \"subject\": \"ours\", "
		       "\"metric\": \"calibration_error\", \"value\": %.4f, "
		       "\"unit\": \"\", \"n\": %zu, \"pattern\": \"%s\", "
		       "\"weighted\": %.4f, \"brier\": %.4f}\n",
		       calibration_error(c), c->n, pattern,
		       calibration_error_weighted(c), c->brier / n);
	else
		printf("  mean absolute error %.3f, weighted by n %.3f; "
		       "Brier score %.4f, log loss %.4f\n",
		       calibration_error(c), calibration_error_weighted(c),
		       c->brier / n, c->log_loss / n);
}
