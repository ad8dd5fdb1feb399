/* SPDX-License-Identifier: GPL-2.0-or-later */
/* select_cons_tres.c - Slurm's select/cons_tres with an opinion on devices
 *
 * This object stands where the original select_cons_tres.so was and has the
 * original, renamed, as a needed library: what is not defined here, plugin_id
 * and plugin_version included, Slurm finds there.  This file and order.c
 * are the only ones that know Slurm's internal structures, and so valid for
 * exactly the slurmctld whose source they were compiled with.
 *
 * Invariants:
 *  - Slurm's structures are not touched before self_test() passed; if it does
 *    not, every call is passed on unchanged for the life of slurmctld.
 *  - Nothing here exits, asserts, blocks or leaves a node's weight changed
 *    (but for sched_weight after a plan, which the original itself changes).
 *  - A call that fails with candidates taken away leaves them as they came.
 *  - Every symbol of slurmctld is weak: one that a future release lacks must
 *    not keep this object, and slurmctld with it, from loading.
 *  - slurmctld holds its node write lock around each call, so the statics need
 *    no lock of their own.
 */
#include "config.h"

#include <dlfcn.h>
#include <limits.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "slurm/slurm_errno.h"
#include "slurm/spank.h"
#include "src/common/bitstring.h"
#include "src/common/node_conf.h"
#include "src/common/xmalloc.h"
#include "src/slurmctld/slurmctld.h"

#include "candidates.h"
#include "clustername.h"
#include "compat.h"
#include "order.h"
#include "window.h"

#define EXPORT __attribute__((visibility("default")))
#define PREFIX "select_cons_tres (slurm-volunteer): "

#pragma weak node_record_table_ptr
#pragma weak node_record_count
#pragma weak last_node_update
#pragma weak bit_size
#pragma weak bit_test
#pragma weak bit_set
#pragma weak bit_clear
#pragma weak slurm_bit_size
#pragma weak slurm_bit_test
#pragma weak slurm_bit_set
#pragma weak slurm_bit_clear
#pragma weak find_job_record
#pragma weak slurm_xsize
#pragma weak slurm_info
#pragma weak slurm_error
extern size_t slurm_xsize(void *item);

/* So many calls in a row without a job that slurmctld lists mean that we look
 * for a job's id in the wrong place. */
#define UNLISTED_MAX 100

/* A job that can only be started on devices whose owners are there is planned
 * for then at the earliest: else backfill would hold others back for a start
 * that can not be. */
#define OWNER_STAYS_S 300
/* What waits for less is planned for then, backfill's own resolution. */
#define PLAN_MIN_S 60

typedef int job_test_f(VOL_HEAD_ARGS, void *, void *, void *, void *, void *,
		       void *);

/* Read by "volunteer select" from the file; slurmctld does not look at it. */
EXPORT extern const uint32_t vol_select_slurm_version;
const uint32_t vol_select_slurm_version = SLURM_VERSION_NUMBER;

EXPORT job_test_f select_p_job_test;

/* Test seam: the folder in which the controller's discoveryd keeps the node
 * table, and in which we keep placements. */
extern const char *vol_select_folder;
const char *vol_select_folder = VOL_RUN_DIR "/controller";

static enum { UNTESTED, TRUSTED, DISTRUSTED } state;
static job_test_f *base_job_test;
static struct vol_devices *devices;
static struct vol_candidates candidates;
static struct vol_window window;

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
	    !bit_test || !bit_set || !bit_clear || !find_job_record ||
	    !slurm_xsize || !slurm_info) {
		distrust("slurmctld lacks symbols of that version");
		return;
	}
	if (!nodes || bit_size(nodes) > node_record_count) {
		distrust("its node table looks different");
		return;
	}
	/* A reservation in the making: says nothing. */
	if (job->magic == JOB_MAGIC && !job->job_id)
		return;
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

static void path_of(const char *file, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/%s", vol_select_folder, file);
}

/* One line each time the table becomes usable or stops to be. */
static void tell_change(bool usable, const struct vol_error *err)
{
	static enum { NOTHING, USABLE, UNUSABLE } told;

	if (told == (usable ? USABLE : UNUSABLE))
		return;
	told = usable ? USABLE : UNUSABLE;
	if (usable)
		slurm_info(PREFIX "devices are known: jobs are placed by it");
	else
		slurm_info(PREFIX "no devices are known, jobs are scheduled "
				  "without it: %s",
			   err->text);
}

/* What discoveryd says now. */
static bool look_at_devices(void)
{
	struct vol_error err = {"no memory"};
	char path[PATH_MAX], cluster[VOL_CLUSTER_NAME_SIZE];
	struct timespec now;
	bool usable = false;

	if (!devices) {
		path_of(VOL_NODETABLE_FILE, path);
		vol_cluster_name_of(getenv("SLURM_CONF"), cluster);
		devices = vol_devices_create(path, cluster);
	}
	if (devices && clock_gettime(CLOCK_BOOTTIME, &now) == 0)
		usable = vol_devices_refresh(
				 devices,
				 (uint64_t)now.tv_sec * 1000 +
					 (uint64_t)now.tv_nsec / 1000000,
				 (size_t)node_record_count,
				 &last_node_update ? last_node_update : 0,
				 &err) == 0;
	tell_change(usable, &err);
	return usable;
}

/* False when none of them is a device. */
static bool list_candidates(bitstr_t *nodes)
{
	const uint32_t size = (uint32_t)bit_size(nodes);
	struct vol_place *places = vol_devices_places(devices);

	if (vol_candidates_begin(&candidates, size) < 0)
		return false;
	for (uint32_t i = 0; i < size; i++) {
		const node_record_t *node;

		if (!bit_test(nodes, (bitoff_t)i))
			continue;
		node = node_record_table_ptr[i];
		if (node)
			vol_candidates_add(&candidates, i,
					   vol_devices_slot(devices, &places[i],
							    node, &node->name));
	}
	return candidates.devices > 0;
}

static uint32_t seconds_of(uint32_t minutes)
{
	if (minutes == INFINITE || minutes == NO_VAL ||
	    minutes > UINT32_MAX / 60)
		return 0;
	return minutes * 60;
}

static bool is_partition(const part_record_t *part)
{
	return part && part->magic == PART_MAGIC &&
	       slurm_xsize((void *)part) == sizeof(*part);
}

/* A job without a limit gets its partition's when it starts. */
static uint32_t time_limit(const job_record_t *job)
{
	const part_record_t *part = job->part_ptr;

	if (job->time_limit != NO_VAL)
		return seconds_of(job->time_limit);
	if (!is_partition(part))
		return 0;
	return seconds_of(part->default_time != NO_VAL ? part->default_time
						       : part->max_time);
}

/* For how long it could have begun.  Jobs without a limit of their own, that
 * somebody sits and waits for, that were sent to certain nodes or have a
 * reservation or a deadline begin wherever they can: waiting may cost them more
 * than it gains.  (Backfill shortens the limit of jobs with --time-min, and of
 * those of a QOS with NoReserve to a minute, while it asks: those are judged by
 * that.) */
static uint32_t waited_of(const job_record_t *job, time_t now)
{
	time_t since;

	if (!job->details || job->details->magic != DETAILS_MAGIC ||
	    job->details->req_nodes || !job->batch_flag || job->resv_name ||
	    (job->deadline && job->deadline != NO_VAL) ||
	    job->time_limit == NO_VAL)
		return VOL_WAITED_ENOUGH;
	since = job->details->begin_time ? job->details->begin_time
					 : job->details->submit_time;
	return since < now ? (uint32_t)(now - since) : 0;
}

static struct vol_score_job facts_of(const job_record_t *job)
{
	return (struct vol_score_job){
		.limit_s = time_limit(job),
		.checkpoint_s = vol_checkpoint_from_env(
			job->spank_job_env, job->spank_job_env_size),
		.restart_s = VOL_SCORE_RESTART_S,
	};
}

/* Was it sent to a node that can not go on with it?  Then to begin anew there
 * is what was asked for. */
static bool wants_unfit(const job_record_t *job)
{
	bitstr_t *wanted = NULL;

	if (job->details && job->details->magic == DETAILS_MAGIC)
		wanted = job->details->req_node_bitmap;
	for (size_t i = 0; wanted && i < candidates.unfit; i++) {
		bitoff_t node = candidates.list[candidates.n + i].node;

		if (node < bit_size(wanted) && bit_test(wanted, node))
			return true;
	}
	return false;
}

/* None of the candidates fits.  May another node of its partition ever do? */
static bool may_fit_later(const job_record_t *job,
			  const struct vol_imagetable_need *need)
{
	const part_record_t *part = job->part_ptr;
	struct vol_place *places = vol_devices_places(devices);
	bitstr_t *may, *never = NULL;

	if (!is_partition(part) || !part->node_bitmap)
		return true;
	may = part->node_bitmap;
	if (job->details && job->details->magic == DETAILS_MAGIC)
		never = job->details->exc_node_bitmap;
	for (bitoff_t i = 0; i < bit_size(may) && i < node_record_count; i++) {
		const node_record_t *node = node_record_table_ptr[i];
		uint32_t slot;

		if (!node || !bit_test(may, i) ||
		    (never && i < bit_size(never) && bit_test(never, i)))
			continue;
		slot = vol_devices_slot(devices, &places[i], node, &node->name);
		if (vol_devices_fits(devices, need, slot))
			return true;
	}
	return false;
}

/* A job that was saved goes on where that can be, and waits for that. */
static void set_unfit_aside(const job_record_t *job, bitstr_t *nodes)
{
	const struct vol_imagetable_need *need =
		vol_devices_need(devices, job->job_id);

	if (!need)
		return;
	vol_candidates_fit(&candidates, devices, need);
	if (wants_unfit(job) ||
	    (!candidates.devices && !may_fit_later(job, need))) {
		candidates.n += candidates.unfit;
		candidates.devices += candidates.unfit;
		candidates.unfit = 0;
	}
	for (size_t i = 0; i < candidates.unfit; i++)
		bit_clear(nodes,
			  (bitoff_t)candidates.list[candidates.n + i].node);
}

static void clear_dropped(bitstr_t *nodes)
{
	if (!candidates.dropped)
		return;
	for (size_t i = 0; i < candidates.n; i++)
		if (candidates.list[i].dropped)
			bit_clear(nodes, (bitoff_t)candidates.list[i].node);
}

/* Those that are set aside come last. */
static void set_first(bitstr_t *nodes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		bit_set(nodes, (bitoff_t)candidates.list[i].node);
}

/* For "volunteer explain".  The original left the nodes that the job gets. */
static void remember(const job_record_t *job, bitstr_t *nodes,
		     const struct vol_kind *kind,
		     const struct vol_score_job *facts)
{
	static struct vol_placement_log *log;
	struct vol_placement p = {
		.at = time(NULL), .job = job->job_id, .facts = *facts};
	char path[PATH_MAX];

	for (size_t i = 0; i < candidates.n; i++) {
		struct vol_candidate *a = &candidates.list[i];

		a->taken = bit_test(nodes, (bitoff_t)a->node);
		/* Those that were ordered have it from there. */
		if (a->dropped || !candidates.ordered)
			a->weight = node_record_table_ptr[a->node]->weight;
	}
	vol_candidates_tell(&candidates, devices, kind, &p);
	if (!p.taken)
		return;
	if (!log) {
		path_of(VOL_PLACEMENT_FILE, path);
		log = vol_placement_open(path, NULL);
	}
	if (log)
		vol_placement_add(log, &p);
}

#define CALL_BASE() base_job_test(job, nodes, min, max, req, mode, VOL_TAIL)

/* Does a start get the lightest node that has room, whatever others there are?
 * Not where Slurm weighs more than that: which jobs would have to go (those are
 * preemptible), whom a node would be shared with, how several fit together. */
static bool gets_lightest(const job_record_t *job, uint32_t min, uint32_t req,
			  const void *preemptible)
{
	const part_record_t *part = job->part_ptr;

	return min == 1 && req <= 1 && !preemptible && job->details &&
	       job->details->magic == DETAILS_MAGIC &&
	       !job->details->req_node_bitmap &&
	       (job->details->num_tasks <= 1 || job->details->max_nodes == 1) &&
	       is_partition(part) && (part->max_share & ~SHARED_FORCE) <= 1;
}

static void show(bitstr_t *nodes, uint64_t limit)
{
	for (size_t i = 0; i < candidates.n; i++) {
		const struct vol_candidate *a = &candidates.list[i];

		if (a->dropped)
			continue;
		if (a->order <= limit)
			bit_set(nodes, (bitoff_t)a->node);
		else
			bit_clear(nodes, (bitoff_t)a->node);
	}
}

/* With the best few, if that may do, or with all. */
static int test_start(job_record_t *job, bitstr_t *nodes, uint32_t min,
		      uint32_t max, uint32_t req, uint16_t mode, VOL_TAIL_DECL)
{
	uint64_t limit = VOL_WINDOW_ALL;
	int rc;

	if (gets_lightest(job, min, req, t1))
		limit = vol_window_limit(&window, &candidates);
	if (limit != VOL_WINDOW_ALL) {
		show(nodes, limit);
		rc = CALL_BASE();
		if (rc == SLURM_SUCCESS)
			return rc;
		show(nodes, VOL_WINDOW_ALL);
	}
	return CALL_BASE();
}

static int test_in_order(job_record_t *job, bitstr_t *nodes, uint32_t min,
			 uint32_t max, uint32_t req, uint16_t mode,
			 VOL_TAIL_DECL)
{
	const bool start = VOL_MODE(mode) == SELECT_MODE_RUN_NOW;
	const bool weight = !start && VOL_PLANS_BY_WEIGHT;
	int rc;

	if (!candidates.ordered)
		return CALL_BASE();
	if (weight)
		vol_order_by_weight(&candidates);
	else
		vol_order_by_sched_weight(&candidates, start);
	rc = start ? test_start(job, nodes, min, max, req, mode, VOL_TAIL)
		   : CALL_BASE();
	vol_order_restore(&candidates, weight);
	return rc;
}

/* When the last of the nodes that a plan is made with may do; 0: now. */
static time_t latest(bitstr_t *nodes, time_t now)
{
	uint32_t later = 0;

	for (size_t i = 0; i < candidates.n; i++) {
		const struct vol_candidate *a = &candidates.list[i];

		if (a->later_s > later && bit_test(nodes, (bitoff_t)a->node))
			later = a->later_s;
	}
	if (!later)
		return 0;
	return now + (later > PLAN_MIN_S ? later : PLAN_MIN_S);
}

static int test_with_devices(job_record_t *job, bitstr_t *nodes, uint32_t min,
			     uint32_t max, uint32_t req, uint16_t mode,
			     VOL_TAIL_DECL)
{
	struct vol_score_job facts = facts_of(job);
	struct vol_kind *kind = vol_devices_kind(devices, &facts);
	time_t now = time(NULL), then;
	/* With t1, the jobs that may be preempted for this one, waiting would
	 * cost them their work for certain. */
	uint32_t waited_s = t1 ? VOL_WAITED_ENOUGH : waited_of(job, now);
	size_t dropped;
	int rc;

	if (!kind)
		return CALL_BASE();
	vol_candidates_judge(&candidates, devices, kind, waited_s, min);
	dropped = candidates.dropped;
	clear_dropped(nodes);
	rc = test_in_order(job, nodes, min, max, req, mode, VOL_TAIL);
	if (VOL_MODE(mode) == SELECT_MODE_RUN_NOW) {
		if (rc == SLURM_SUCCESS)
			remember(job, nodes, kind, &facts);
		vol_window_learn(&window, &candidates);
	}
	if (rc == SLURM_SUCCESS || !dropped)
		return rc;
	set_first(nodes, candidates.n);
	/* "Now or never" is answered: not now. */
	if (VOL_MODE(mode) != SELECT_MODE_WILL_RUN ||
	    (job->bit_flags & TEST_NOW_ONLY))
		return rc;
	/* Nor is "not in this part of the future" a reason to take those that
	 * are not to be taken, as long as the others are enough. */
	if (VOL_MORE_PARTS(t4) && candidates.n - dropped >= min)
		return rc;
	vol_candidates_forgive(&candidates, kind, waited_s, OWNER_STAYS_S);
	rc = test_in_order(job, nodes, min, max, req, mode, VOL_TAIL);
	then = rc == SLURM_SUCCESS ? latest(nodes, now) : 0;
	if (job->start_time < then)
		job->start_time = then;
	return rc;
}

/* Whether it could ever run is asked with TEST_ONLY: to be told no, it would
 * be refused. */
static bool is_for_us(const job_record_t *job, bitstr_t *nodes, uint16_t mode)
{
	return state == TRUSTED &&
	       (VOL_MODE(mode) == SELECT_MODE_RUN_NOW ||
		VOL_MODE(mode) == SELECT_MODE_WILL_RUN) &&
	       is_real_job(job, nodes) && look_at_devices() &&
	       list_candidates(nodes);
}

int select_p_job_test(job_record_t *job, bitstr_t *nodes, uint32_t min,
		      uint32_t max, uint32_t req, uint16_t mode, VOL_TAIL_DECL)
{
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
	if (!is_for_us(job, nodes, mode))
		return CALL_BASE();
	set_unfit_aside(job, nodes);
	rc = test_with_devices(job, nodes, min, max, req, mode, VOL_TAIL);
	if (rc != SLURM_SUCCESS && candidates.unfit)
		set_first(nodes, candidates.n + candidates.unfit);
	return rc;
}
