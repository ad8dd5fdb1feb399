/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fake_slurmctld.h - a pretended slurmctld around the select plugin
 *
 * select_cons_tres.c is linked in unchanged; fake_slurmctld.c is slurmctld
 * (node table, bitmaps, log), fake_base.c is the original plugin.  The plugin
 * decides once per process whether it trusts slurmctld, so each case runs in a
 * process of its own.
 */
#ifndef VOL_FAKE_SLURMCTLD_H
#define VOL_FAKE_SLURMCTLD_H

#include "config.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include "slurm/slurm_errno.h"
#include "slurm/spank.h"
#include "src/common/bitstring.h"
#include "src/common/node_conf.h"
#include "src/slurmctld/slurmctld.h"

#include "compat.h"
#include "fake_base.h"
#include "tests/unit/vtest.h"

#define N_NODES 6
#define WEIGHT  10
/* flag at bit 40, Weight, low byte of cons_tres */
#define SCHED_WEIGHT (UINT64_C(1) << 40 | WEIGHT << 8 | 0xff)
#define JOB_ID       42
#define MAX_CALLS    4

int select_p_job_test(job_record_t *job, bitstr_t *nodes, uint32_t min,
		      uint32_t max, uint32_t req, uint16_t mode, void *t1,
		      void *t2, void *t3, void *t4, void *t5, void *t6);
size_t slurm_xsize(void *item);
extern const char *vol_select_folder;

struct fake_slurmctld {
	/* n0 ... n5 */
	node_record_t records[N_NODES], *table[N_NODES + 1];
	char names[N_NODES][8];
	bitstr_t nodes[1 + N_NODES]; /* size, then one bit per word */
	job_record_t job;
	part_record_t part;
	size_t node_size, job_size;
	job_record_t *listed; /* what is found under the job's id */
	uint32_t *running_version;
	time_t plan_end; /* of the part that is planned, 0: all of it */
	bool preempts;   /* it hands over jobs that may be preempted */
	uint32_t req;    /* nodes that are asked for */
	char log_text[1024];
	unsigned int infos, errors;
};
extern struct fake_slurmctld ctld;

/* What the original saw at each of the calls that one of ours led to. */
struct seen {
	bool candidate[N_NODES];
	uint32_t weight[N_NODES];
	uint64_t sched_weight[N_NODES];
};
extern struct seen seen[MAX_CALLS];
/* How it answers call i: with answers[i].rc, and if that is SLURM_SUCCESS with
 * these nodes (a bit each) and this start time; 0: as it came. */
struct answer {
	int rc;
	unsigned int nodes;
	time_t start;
};
extern struct answer answers[MAX_CALLS];

/* One call with all nodes but those in without (a bit each), checked to reach
 * the original as it was made and to leave the weights alone.  Returns what
 * it returned. */
int ctld_call(uint16_t mode, unsigned int without);
/* The same, whatever becomes of the weights. */
int ctld_try(uint16_t mode, unsigned int without);
/* The nodes that are set now, a bit each. */
unsigned int ctld_nodes(void);
/* The original was called n times, with these candidates the last time. */
void ctld_expect(unsigned int n, unsigned int nodes);
/* Each of them with the weights as they are. */
void ctld_expect_untouched(void);

/* Called at the end of the child, may be NULL. */
extern void (*ctld_cleanup)(void);
/* cmocka: the test runs in a child, with a fresh slurmctld. */
void ctld_run_alone(void **state);
int ctld_leave_child(void **state);

#define ALONE(test)                                         \
	{                                                   \
		.name = #test, .test_func = ctld_run_alone, \
		.teardown_func = ctld_leave_child,          \
		.initial_state = (void *)(uintptr_t)(test)  \
	}

#endif
