/* SPDX-License-Identifier: GPL-2.0-or-later */
/* explain_bed.h - a small lab whose scheduling is explained */
#ifndef VOL_EXPLAIN_BED_H
#define VOL_EXPLAIN_BED_H

#include <string.h>
#include <time.h>

#include "explain.h"

#include "vtest.h"

/* 2025-11-21 11:02 in UTC, which the tests' time zone is. */
#define NOW  ((time_t)1763722920)
#define BOOT 100000u /* NOW on the other clock */

/* Half of the time it is still open after so many seconds, and never after
 * twice that. */
static inline void set_outlook(struct vol_outlook *o, uint32_t half_s)
{
	size_t i;

	for (i = 0; i < VOL_OUTLOOK_POINTS; i++) {
		double t = vol_outlook_seconds((unsigned int)i);
		double p = t < 2.0 * half_s ? 1 - t / (2.0 * half_s) : 0;

		o->survive[i] = (uint16_t)(p * VOL_OUTLOOK_ONE);
	}
}

enum { NIGHT, NOON, PARKED, CLOSED, LOST, BUSY, DRAINED, N_DEVICES };

static struct vol_nodetable_node lab[N_DEVICES] = {
	/* by name */
	[NIGHT] = {.name = "desk1",
		   .state = VOL_NODETABLE_OPEN,
		   .since = NOW - 3600,
		   .away_since = NOW - 3900,
		   .heard_s = BOOT - 2,
		   .speed = 1000,
		   .evictions_week = 1,
		   .evictions = 7,
		   .last_eviction = NOW - 3 * 86400},
	[NOON] = {.name = "desk2",
		  .state = VOL_NODETABLE_OPEN,
		  .since = NOW - 60,
		  .away_since = NOW - 360,
		  .closes_at = NOW + 4 * 3600,
		  .heard_s = BOOT,
		  .on_battery = true,
		  .speed = 1200},
	[PARKED] = {.name = "desk3",
		    .state = VOL_NODETABLE_PARKED,
		    .why = "owner present since 10:31",
		    .since = NOW - 31 * 60,
		    .heard_s = BOOT,
		    .speed = 800},
	[CLOSED] = {.name = "desk4",
		    .state = VOL_NODETABLE_CLOSED,
		    .why = "paused until 14:00",
		    .heard_s = BOOT},
	[LOST] = {.name = "desk5",
		  .state = VOL_NODETABLE_UNKNOWN,
		  .heard_s = BOOT - 720},
	[BUSY] = {.name = "desk6", .state = VOL_NODETABLE_OPEN},
	[DRAINED] = {.name = "desk7", .state = VOL_NODETABLE_OPEN},
};

static const struct vol_device_list devices = {
	.list = lab, .n = N_DEVICES, .now_s = BOOT, .age_ms = 1000};

static inline void make_offers(struct vol_slurm_offer offers[N_DEVICES + 1])
{
	size_t i;

	memset(offers, 0, (N_DEVICES + 1) * sizeof(*offers));
	for (i = 0; i <= N_DEVICES; i++) {
		snprintf(offers[i].name, sizeof(offers[i].name), "%.63s",
			 i < N_DEVICES ? lab[i].name : "rack1");
		strcpy(offers[i].features, "volunteer");
		offers[i].weight = 1;
		offers[i].cpus = 4;
		offers[i].memory_mb = 8000;
		offers[i].in_partition = i < N_DEVICES;
	}
	offers[BUSY].full = offers[BUSY].shared = true;
	offers[DRAINED].drained = true;
	strcpy(offers[DRAINED].reason, "new disk");
}

static inline struct vol_slurm_request request_of(uint32_t limit_min)
{
	struct vol_slurm_request r = {
		.id = 42,
		.array_task = VOL_JOB_NO_TASK,
		.state = VOL_JOB_PENDING,
		.limit_min = limit_min,
		.min_nodes = 1,
		.nodes = (char *)"",
		.required = (char *)"",
		.excluded = (char *)"",
		.partitions = (char *)"volunteer",
		.features = (char *)"",
		.gres = (char *)"",
		.reservation = (char *)"",
		.reason = (char *)"Resources",
		.detail = (char *)"",
	};

	return r;
}

static inline void choose(const struct vol_slurm_request *r,
			  struct vol_slurm_offer offers[N_DEVICES + 1],
			  struct vol_choices *c)
{
	const struct vol_slurm_offers all = {offers, N_DEVICES + 1};
	struct vol_score_job facts;

	vol_choice_facts(r, &facts);
	assert_int_equal(vol_choices_make(r, &facts, &all, &devices, NULL, NOW,
					  c, NULL),
			 0);
}

static inline int lab_set_up(void **state)
{
	(void)state;
	setenv("TZ", "UTC", 1);
	tzset();
	for (size_t i = 0; i < N_DEVICES; i++)
		lab[i].max_risk = VOL_OUTLOOK_ONE;
	lab[NOON].max_risk = VOL_SCORE_MAX_RISK; /* counts for batch jobs */
	set_outlook(&lab[NIGHT].outlook, 20 * 3600);
	set_outlook(&lab[NOON].outlook, 3600);
	set_outlook(&lab[BUSY].outlook, 3600);
	set_outlook(&lab[DRAINED].outlook, 3600);
	return 0;
}

#endif
