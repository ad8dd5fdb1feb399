/* SPDX-License-Identifier: GPL-2.0-or-later */
/* explain.h - the pages of `volunteer explain`: facts into JSON, JSON into
 * text; pure
 *
 * Chances are 0 ... 1, times seconds, moments Unix seconds.  The text is made
 * from the JSON alone, of which any member may be missing.
 */
#ifndef VOL_EXPLAIN_H
#define VOL_EXPLAIN_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#include "device_list.h"
#include "explain_choice.h"
#include "placement.h"
#include "request.h"

/* What is known about a job; NULL for what is not. */
struct vol_job_facts {
	const char *name; /* as it was asked for: "37_3" */
	const struct vol_slurm_request *request; /* slurmctld forgets jobs */
	const struct vol_choices *choices;       /* of a pending one */
	const json_t *image; /* of a pending one that was saved: the reply to
			      * "image-fits" */
	const struct vol_score_job *score;     /* what choices were made with */
	const struct vol_placement *placement; /* when it was started last */
	const struct vol_device_list *devices;
	bool select_active;       /* slurmctld has our plugin */
	bool on_devices;          /* request's nodes are some of ours */
	const char *ctld_trouble; /* why there is no request, "" otherwise */
	bool ctld_away;           /* it is because slurmctld does not answer */
};

/* Is there anything to tell?  -1 with one line for people if not. */
int vol_explain_job_check(const struct vol_job_facts *facts,
			  struct vol_error *err);

/* Is p how the task of an array that r tells of was started?  slurmctld places
 * a task under its array's number and gives it its own when it starts, so the
 * newest start of the array may be another task's.  has: is a node in a
 * hostlist? */
bool vol_explain_is_start(const struct vol_placement *p,
			  const struct vol_slurm_request *r,
			  bool (*has)(const char *hostlist, const char *name));

/* Members:
 *	job, state, partition, limit_s (null: unlimited), reason, detail, means,
 *	min_nodes, nodes, start, restarts, select_active
 *	image: {job, number, node, made_at, waits, unfit: [{machine, reason}]}
 *	now: {fits, held, busy, owner, closed, "no link", "out of service",
 *	"can not", "not wanted", others: numbers, unsure, nodes: [{node, fate,
 *	device, order, weight, level, speed, chance, wasted_s, completion_s,
 *	why}]}
 *	history: [as of vol_explain_history], put in by the caller
 *	placement: {at, limit_s, checkpoint_s, taken, passed, held, dropped,
 *	unfit, others, nodes: as above}
 * NULL: no memory. */
json_t *vol_explain_job(const struct vol_job_facts *facts, time_t now);
void vol_explain_job_view(FILE *out, const json_t *job, bool all, time_t now);

struct vol_node_facts {
	const struct vol_nodetable_node *node;
	uint64_t now_s, age_ms;             /* as in struct vol_device_list */
	const struct vol_slurm_node *slurm; /* NULL: slurmctld said nothing */
	bool select_active;
	const json_t *history; /* a list as below, or NULL */
};

/* Members:
 *	node, state, since, why, state_words, away_since, closes_at, battery,
 *	speed, silent_s, table_age_ms, evictions: {day, week, all, last},
 *	slurm_state, slurm_reason, select_active, forecast (see outlook_view.h,
 *	or null), history, jobs: [{limit_s, chance, wasted_s, completion_s}]
 */
json_t *vol_explain_node(const struct vol_node_facts *facts, time_t now);
void vol_explain_node_view(FILE *out, const json_t *node, time_t now);

/* A sentence about discoveryd's reply to "history": {node, now, horizon_s,
 * weekdays, weekdays_back, alike, alike_back}.  Nothing when no day is known.
 */
void vol_explain_history(FILE *f, const json_t *history);
/* Were the same days counted, whatever the horizon? */
bool vol_explain_same_history(const json_t *a, const json_t *b);

/* The devices of a job's page whose owners' history makes clear why one of them
 * was chosen: at most max names, borrowed from the page.  None when the page
 * tells of a start long ago. */
size_t vol_explain_rivals(const json_t *job, time_t now, const char **names,
			  size_t max);

#endif
