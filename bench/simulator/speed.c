/* SPDX-License-Identifier: GPL-2.0-or-later */
/* speed.c - what an outlook, a score and a note cost */
#include "speed.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "availability_private.h"
#include "score.h"

#define DEVICES 10000
#define ROUNDS  50
#define DAYS    35
#define QUARTER 900

/* CPU time, since other things run on the machine. */
static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void report(bool json, const char *metric, double value,
		   const char *unit, unsigned int n)
{
	if (json)
		printf("{\"bench\": \"sim\", \"subject\": \"ours\", "
		       "\"metric\": \"%s\", \"value\": %.4f, \"unit\": \"%s\", "
		       "\"n\": %u}\n",
		       metric, value, unit, n);
	else
		printf("%-10s %8.3f %s\n", metric, value, unit);
}

/* There from nine to five. */
static void teach(struct vol_availability *a)
{
	for (int64_t t = a->now; t < (int64_t)DAYS * DAY_S; t += QUARTER) {
		int64_t hour = t % DAY_S / 3600;

		vol_availability_note(a, t,
				      hour >= 9 && hour < 17
					      ? VOL_AVAILABLE_NO
					      : VOL_AVAILABLE_YES);
	}
}

static void look(const struct vol_availability *a, struct vol_score_node *node,
		 unsigned int i)
{
	struct vol_spell spell = {.now = a->now + i % QUARTER,
				  .away_since = a->now - 3600};
	struct vol_outlook o;

	vol_availability_outlook(a, &spell, &o);
	vol_score_node(node, &o, 500 + i % 1000);
}

int measure_speed(bool json)
{
	struct vol_score_node *nodes = calloc(DEVICES, sizeof(*nodes));
	struct vol_availability *a = vol_availability_create(0);
	struct vol_score_job job = {7200, 0, 60};
	struct vol_score_plan plan;
	/* So that nothing is optimised away. */
	volatile uint32_t sum = 0;
	double start;

	if (!nodes || !a) {
		free(nodes);
		vol_availability_destroy(a);
		return -1;
	}
	start = now_ns();
	teach(a);
	report(json, "note", (now_ns() - start) / 1e3 / (DAYS * DAY_SLOTS),
	       "us", DAYS * DAY_SLOTS);
	start = now_ns();
	for (unsigned int i = 0; i < DEVICES; i++)
		look(a, &nodes[i], i);
	report(json, "outlook", (now_ns() - start) / 1e3 / DEVICES, "us",
	       DEVICES);
	vol_score_plan(&plan, &job);
	start = now_ns();
	for (unsigned int round = 0; round < ROUNDS; round++)
		for (unsigned int i = 0; i < DEVICES; i++)
			sum = sum + vol_score_cost(&plan, &nodes[i]);
	report(json, "score", (now_ns() - start) / DEVICES / ROUNDS, "ns",
	       DEVICES * ROUNDS);
	report(json, "state", VOL_AVAILABILITY_SIZE, "bytes", 1);
	report(json, "memory", sizeof(*a), "bytes", 1);
	free(nodes);
	vol_availability_destroy(a);
	return 0;
}
