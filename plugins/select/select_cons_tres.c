/* SPDX-License-Identifier: GPL-2.0-or-later */
/* select_cons_tres.c - Slurm's select/cons_tres with an opinion on order
 *
 * This object stands where the original select_cons_tres.so was and has the
 * original, renamed, as a needed library: what is not defined here, plugin_id
 * and plugin_version included, Slurm finds there.  The only file that knows
 * Slurm's internal structures, and so valid for exactly the slurmctld whose
 * source it was compiled with.
 *
 * Invariants:
 *  - Slurm's structures are not touched before self_test() passed; if it does
 *    not, every call is passed on unchanged for the life of slurmctld.
 *  - Nothing here exits, asserts, blocks or leaves a node's weight changed.
 *  - Every symbol of slurmctld is weak: one that a future release lacks must
 *    not keep this object, and slurmctld with it, from loading.
 *  - slurmctld holds its node write lock around each call, so the statics need
 *    no lock of their own.
 */
#include "config.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "slurm/slurm_errno.h"
#include "slurm/spank.h"
#include "src/common/bitstring.h"
#include "src/common/node_conf.h"
#include "src/common/xmalloc.h"
#include "src/slurmctld/slurmctld.h"

#include "compat.h"
#include "score.h"

#define EXPORT __attribute__((visibility("default")))
#define PREFIX "select_cons_tres (slurm-volunteer): "

#pragma weak node_record_table_ptr
#pragma weak node_record_count
#pragma weak bit_size
#pragma weak bit_test
#pragma weak slurm_bit_size
#pragma weak slurm_bit_test
#pragma weak find_job_record
#pragma weak slurm_xsize
#pragma weak slurm_info
#pragma weak slurm_error
extern size_t slurm_xsize(void *item);

/* So many calls in a row without a job that slurmctld lists mean that we look
 * for a job's id in the wrong place. */
#define UNLISTED_MAX 100

typedef int job_test_f(VOL_HEAD_ARGS, void *, void *, void *, void *, void *,
		       void *);

/* Read by "volunteer select" from the file; slurmctld does not look at it. */
EXPORT extern const uint32_t vol_select_slurm_version;
const uint32_t vol_select_slurm_version = SLURM_VERSION_NUMBER;

EXPORT job_test_f select_p_job_test;

static enum { UNTESTED, TRUSTED, DISTRUSTED } state;
static job_test_f *base_job_test;

static void distrust(const char *why)
{
	state = DISTRUSTED;
	if (slurm_error)
		slurm_error(PREFIX
			    "built for Slurm %s, but %s: standing aside, "
			    "jobs are scheduled without it",
			    SLURM_VERSION_STRING, why);
}

/* The original is checked by Slurm's plugin loader: its version is that of the
 * running slurmctld. */
static bool same_release(void)
{
	const uint32_t *running = dlsym(RTLD_NEXT, "plugin_version");

	return running && *running == SLURM_VERSION_NUMBER;
}

/* A patched package may lay out its structures differently under the same
 * version.  The cheap marks come first: only a record with the right magic at
 * the right place is known to be one whose allocated size can be asked for. */
static bool node_is_plausible(const node_record_t *node, int index)
{
	return node && node->magic == NODE_MAGIC &&
	       node->index == (uint32_t)index &&
	       slurm_xsize((void *)node) == sizeof(*node) && node->name &&
	       node->name[0];
}

/* Reservations and federations plan with job records that are in no list.  The
 * others slurmctld itself must find under the id that we read, and only then is
 * it safe to ask for the record's size. */
static bool job_is_listed(job_record_t *job)
{
	return job->magic == JOB_MAGIC && job->job_id &&
	       find_job_record(job->job_id) == job;
}

/* Needs a listed job with candidates; stays UNTESTED until one comes by. */
static void self_test(job_record_t *job, bitstr_t *nodes)
{
	static unsigned int unlisted;
	bool seen = false;

	if (!same_release()) {
		distrust("slurmctld is another version");
		return;
	}
	if (!&node_record_table_ptr || !&node_record_count || !bit_size ||
	    !bit_test || !find_job_record || !slurm_xsize || !slurm_info) {
		distrust("slurmctld lacks symbols of that version");
		return;
	}
	if (!nodes || bit_size(nodes) > node_record_count) {
		distrust("its node table looks different");
		return;
	}
	if (!job_is_listed(job)) {
		if (++unlisted == UNLISTED_MAX)
			distrust("its job records look different");
		return;
	}
	if (slurm_xsize(job) != sizeof(*job)) {
		distrust("its job records look different");
		return;
	}
	for (int i = 0; i < bit_size(nodes); i++) {
		if (!bit_test(nodes, i))
			continue;
		if (!node_is_plausible(node_record_table_ptr[i], i)) {
			distrust("its node records look different");
			return;
		}
		seen = true;
	}
	if (!seen)
		return;
	state = TRUSTED;
	slurm_info(PREFIX "active, built for Slurm %s", SLURM_VERSION_STRING);
}

/* Reservations are planned with a job record of their own, without an id. */
static bool is_real_job(const job_record_t *job, bitstr_t *nodes)
{
	return job->magic == JOB_MAGIC && job->job_id && nodes &&
	       bit_size(nodes) <= node_record_count;
}

/* One candidate's weights as the admin set them. */
struct saved {
	node_record_t *node;
	uint32_t weight;
	uint64_t sched_weight;
	unsigned int level;
};

/* List the candidates with their levels.  Returns their number, or 0 when all
 * are at one level or memory is short: then there is nothing to order. */
static size_t score_candidates(const job_record_t *job, bitstr_t *nodes,
			       struct saved **list)
{
	static struct saved *buf;
	static size_t room;
	const struct vol_score_job facts = {
		.job_id = job->job_id,
		.time_limit_min = job->time_limit,
	};
	size_t size = (size_t)bit_size(nodes), n = 0;
	bool differ = false;

	if (size > room) {
		struct saved *grown = realloc(buf, size * sizeof(*buf));

		if (!grown)
			return 0;
		buf = grown;
		room = size;
	}
	for (size_t i = 0; i < size; i++) {
		node_record_t *node = node_record_table_ptr[i];

		if (!node || !bit_test(nodes, (bitoff_t)i))
			continue;
		buf[n].node = node;
		buf[n].level = vol_score_node(&facts, node->name);
		differ |= buf[n].level != buf[0].level;
		n++;
	}
	*list = buf;
	return differ ? n : 0;
}

/* Both weights: a start now reads sched_weight, a plan for later (backfill,
 * --test-only) makes it anew from weight. */
static void order_candidates(struct saved *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		node_record_t *node = list[i].node;
		uint64_t rest = node->sched_weight & ~VOL_SCHED_WEIGHT_MASK;

		list[i].weight = node->weight;
		list[i].sched_weight = node->sched_weight;
		node->weight = vol_score_weight(node->weight, list[i].level);
		node->sched_weight = rest | (uint64_t)node->weight
						    << VOL_SCHED_WEIGHT_SHIFT;
	}
}

static void restore_candidates(const struct saved *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		list[i].node->weight = list[i].weight;
		list[i].node->sched_weight = list[i].sched_weight;
	}
}

int select_p_job_test(job_record_t *job, bitstr_t *nodes, uint32_t min,
		      uint32_t max, uint32_t req, uint16_t mode, VOL_TAIL_DECL)
{
	struct saved *list = NULL;
	size_t n = 0;
	int rc;

	if (!base_job_test)
		base_job_test = dlsym(RTLD_NEXT, "select_p_job_test");
	if (!base_job_test) {
		if (state != DISTRUSTED)
			distrust("the original plugin has no job_test");
		return SLURM_ERROR;
	}
	if (state == UNTESTED)
		self_test(job, nodes);
	if (state == TRUSTED && is_real_job(job, nodes))
		n = score_candidates(job, nodes, &list);

	order_candidates(list, n);
	rc = base_job_test(job, nodes, min, max, req, mode, VOL_TAIL);
	restore_candidates(list, n);
	return rc;
}
