/* SPDX-License-Identifier: GPL-2.0-or-later */
/* request.h - what a job asks for and what nodes offer it, for people
 *
 * More than cluster.h tells of jobs and nodes, read once by `volunteer
 * explain` and not kept.  Blocks and fails as described in cluster.h.
 */
#ifndef VOL_SLURM_REQUEST_H
#define VOL_SLURM_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "cluster.h"
#include "error.h"
#include "facts.h"
#include "names.h"

/* Texts are owned and never NULL; printable ASCII. */
struct vol_slurm_request {
	uint32_t id; /* under which slurmctld runs it */
	uint32_t array_id, array_task;
	bool many_tasks; /* it is all tasks of an array that wait */
	enum vol_job_state state;
	time_t submit, start;
	time_t eligible; /* from then on it could begin; 0: not yet */
	bool batch;      /* else somebody waits for it at a terminal */
	bool deadline;   /* it has one */
	uint32_t restarts;
	uint32_t limit_min; /* or VOL_JOB_UNLIMITED */
	uint32_t min_nodes;
	uint32_t cpus_per_node; /* at least; 0: not said */
	uint64_t memory_mb;     /* on each node; 0: not said */
	bool exclusive;
	char *nodes; /* Slurm hostlists: where it runs or ran, ... */
	char *required, *excluded;
	uint32_t n_required;
	char *partitions; /* "volunteer,fixed" */
	char *features;   /* as given with --constraint */
	char *gres;       /* tres_per_job and so on, "" for none */
	char *reservation;
	char *reason; /* Slurm's word for why it waits: "Resources" */
	char *detail; /* in Slurm's words, "" for none */
};

/* A job, or with task (not VOL_JOB_NO_TASK) one task of an array; of an array
 * without task, what bears the array's own number.  *r is zeroed or an earlier
 * result and untouched on error; errno ENOENT: slurmctld does not know it (any
 * more). */
int vol_slurm_request_get(uint32_t id, uint32_t task,
			  struct vol_slurm_request *r, struct vol_error *err);
void vol_slurm_request_clear(struct vol_slurm_request *r);

/* Is task named in an array's list, "0-7,9,20-30:2%4"?  A list that Slurm cut
 * off ("...") may name any. */
bool vol_slurm_tasks_have(const char *list, uint32_t task);

/* A node as that request sees it. */
struct vol_slurm_offer {
	char name[VOL_NODE_NAME_SIZE];
	char features[VOL_FACTS_CONF_SIZE];
	char reason[256];
	uint32_t weight;
	uint32_t cpus, cpus_used;
	uint64_t memory_mb;
	bool in_partition, required, excluded;
	bool down, drained, not_responding, reserved;
	bool full, shared; /* all or some of it is in use by jobs */
};

struct vol_slurm_offers {
	struct vol_slurm_offer *list; /* owned */
	size_t n;
};

/* All nodes that are in the table and not waiting for their slurmd. */
int vol_slurm_offers_load(const struct vol_slurm_request *r,
			  struct vol_slurm_offers *o, struct vol_error *err);
void vol_slurm_offers_clear(struct vol_slurm_offers *o);

#endif
