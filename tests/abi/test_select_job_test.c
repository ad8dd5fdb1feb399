/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_select_job_test.c - the select plugin inside a pretended slurmctld
 *
 * select_cons_tres.c is linked in unchanged; this file is slurmctld (node
 * table, bitmaps, log) and the scorer, fake_base.c is the original plugin.
 * The plugin decides once per process whether it trusts slurmctld, so each
 * case runs in a process of its own.
 */
#include "config.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/wait.h>

#include "slurm/slurm_errno.h"
#include "slurm/spank.h"
#include "src/common/bitstring.h"
#include "src/common/node_conf.h"
#include "src/slurmctld/slurmctld.h"

#include "plugins/select/score.h"
#include "fake_base.h"
#include "tests/unit/vtest.h"

#define N_NODES 4

int select_p_job_test(job_record_t *job, bitstr_t *nodes, uint32_t min,
		      uint32_t max, uint32_t req, uint16_t mode, void *t1,
		      void *t2, void *t3, void *t4, void *t5, void *t6);
size_t slurm_xsize(void *item);

/* slurmctld */
node_record_t **node_record_table_ptr;
int node_record_count;
static node_record_t records[N_NODES], *table[N_NODES + 1];
static bitstr_t candidates[1 + N_NODES]; /* size, then one bit per word */
static job_record_t job;
static size_t node_size, job_size;
static job_record_t *listed;      /* what slurmctld finds under the job's id */
static uint32_t *running_version; /* fake_base.c's, found as the plugin does */
static char log_text[512];
static unsigned int infos, errors;
/* the scorer */
static unsigned int levels[N_NODES], scored;
/* weights as the original saw them */
static uint32_t seen_weight[N_NODES];
static uint64_t seen_sched_weight[N_NODES];

bitoff_t bit_size(bitstr_t *b)
{
	return b[0];
}

int bit_test(bitstr_t *b, bitoff_t bit)
{
	return (int)b[1 + bit];
}

size_t slurm_xsize(void *item)
{
	return item == &job ? job_size : node_size;
}

job_record_t *find_job_record(uint32_t job_id)
{
	return job_id == 42 ? listed : NULL;
}

void slurm_info(const char *fmt, ...)
{
	va_list ap;

	infos++;
	va_start(ap, fmt);
	vsnprintf(log_text, sizeof(log_text), fmt, ap);
	va_end(ap);
}

void slurm_error(const char *fmt, ...)
{
	va_list ap;

	errors++;
	va_start(ap, fmt);
	vsnprintf(log_text, sizeof(log_text), fmt, ap);
	va_end(ap);
}

unsigned int vol_score_node(const struct vol_score_job *facts, const char *node)
{
	assert_int_equal(facts->job_id, 42);
	assert_int_equal(facts->time_limit_min, 60);
	scored++;
	return levels[node[1] - '0'];
}

static void look(void)
{
	for (int i = 0; i < N_NODES; i++) {
		seen_weight[i] = records[i].weight;
		seen_sched_weight[i] = records[i].sched_weight;
	}
}

static void start_slurmctld(void)
{
	static char names[N_NODES][3] = {"n0", "n1", "n2", "n3"};

	for (int i = 0; i < N_NODES; i++) {
		records[i].magic = NODE_MAGIC;
		records[i].index = (uint32_t)i;
		records[i].name = names[i];
		records[i].weight = 10;
		/* flag at bit 40, Weight, low byte of cons_tres */
		records[i].sched_weight = UINT64_C(1) << 40 | 10 << 8 | 0xff;
		table[i] = &records[i];
		candidates[1 + i] = 1;
	}
	candidates[0] = N_NODES;
	node_record_table_ptr = table;
	node_record_count = N_NODES + 1; /* one free slot */
	node_size = sizeof(node_record_t);
	job_size = sizeof(job_record_t);
	listed = &job;
	job.magic = JOB_MAGIC;
	job.job_id = 42;
	job.time_limit = 60;
	running_version = dlsym(RTLD_NEXT, "plugin_version");
	assert_non_null(running_version);
	*running_version = SLURM_VERSION_NUMBER;
	fake_base.hook = look;
	fake_base.rc = 17;
}

/* One call, checked to reach the original as it was made. */
static void call(void)
{
	unsigned int calls = fake_base.calls;
	char t[4];

	scored = 0;
	assert_int_equal(select_p_job_test(&job, candidates, 1, 2, 3, 0x102, t,
					   t + 1, t + 2, t + 3, NULL, NULL),
			 17);
	assert_int_equal(fake_base.calls, calls + 1);
	assert_ptr_equal(fake_base.job, &job);
	assert_ptr_equal(fake_base.nodes, candidates);
	assert_int_equal(fake_base.min, 1);
	assert_int_equal(fake_base.max, 2);
	assert_int_equal(fake_base.req, 3);
	assert_int_equal(fake_base.mode, 0x102);
	for (int i = 0; i < 4; i++)
		assert_ptr_equal(fake_base.tail[i], t + i);
	for (int i = 0; i < N_NODES; i++) {
		assert_int_equal(records[i].weight, 10);
		assert_int_equal(records[i].sched_weight,
				 UINT64_C(1) << 40 | 10 << 8 | 0xff);
	}
}

static void expect_untouched(void)
{
	for (int i = 0; i < N_NODES; i++) {
		assert_int_equal(seen_weight[i], 10);
		assert_int_equal(seen_sched_weight[i],
				 UINT64_C(1) << 40 | 10 << 8 | 0xff);
	}
}

static void equal_levels_change_nothing(void)
{
	for (int i = 0; i < N_NODES; i++)
		levels[i] = 5;
	call();
	call();
	expect_untouched();
	assert_int_equal(scored, N_NODES);
	assert_int_equal(infos, 1);
	assert_int_equal(errors, 0);
	assert_contains(log_text, SLURM_VERSION_STRING);
}

static void levels_order_the_candidates(void)
{
	levels[1] = 7;
	candidates[1 + 3] = 0;
	call();
	assert_int_equal(scored, 3);
	assert_int_equal(seen_weight[0], 10 << 6);
	assert_int_equal(seen_weight[1], 10 << 6 | 7);
	assert_int_equal(seen_sched_weight[1],
			 UINT64_C(1) << 40 | (10 << 6 | 7) << 8 | 0xff);
	assert_int_equal(seen_weight[3], 10); /* no candidate */
}

static void weights_saturate(void)
{
	const uint32_t top = UINT32_MAX >> VOL_SCORE_BITS;

	assert_int_equal(vol_score_weight(0, 0), 0);
	assert_true(vol_score_weight(1, 0) > vol_score_weight(0, 63));
	assert_int_equal(vol_score_weight(0, 64), 63);
	assert_true(vol_score_weight(top, 0) > vol_score_weight(top - 1, 63));
	assert_int_equal(vol_score_weight(UINT32_MAX, 63), UINT32_MAX);
	assert_int_equal(vol_score_weight(top + 1, 5),
			 vol_score_weight(top, 5));
}

static void reservation_is_passed_on(void)
{
	call();
	levels[1] = 7;
	job.job_id = 0;
	call();
	assert_int_equal(scored, 0);
	expect_untouched();
}

static void no_candidate_leaves_it_open(void)
{
	for (int i = 0; i < N_NODES; i++)
		candidates[1 + i] = 0;
	call();
	assert_int_equal(infos + errors, 0);
	candidates[1] = 1;
	call();
	assert_int_equal(infos, 1);
}

/* The cases of a slurmctld that is not what the plugin was built for. */
static void expect_distrust(const char *why)
{
	levels[1] = 7;
	call();
	call();
	expect_untouched();
	assert_int_equal(scored, 0);
	assert_int_equal(infos, 0);
	assert_int_equal(errors, 1);
	assert_contains(log_text, why);
	assert_contains(log_text, "standing aside");
}

static void other_version(void)
{
	*running_version = SLURM_VERSION_NUMBER + 1;
	expect_distrust("another version");
}

static void other_node_magic(void)
{
	records[2].magic++;
	expect_distrust("node records");
}

static void other_node_index(void)
{
	records[2].index++;
	expect_distrust("node records");
}

static void other_node_size(void)
{
	node_size += 8;
	expect_distrust("node records");
}

static void node_without_record(void)
{
	table[2] = NULL;
	expect_distrust("node records");
}

static void node_without_name(void)
{
	records[2].name = NULL;
	expect_distrust("node records");
}

static void other_job_size(void)
{
	job_size += 8;
	expect_distrust("job records");
}

/* Never the record that slurmctld knows: not decided by one call, which may
 * well be for a reservation, but in the end. */
static void expect_slow_distrust(void)
{
	for (int i = 0; i < 99; i++)
		call();
	assert_int_equal(infos + errors, 0);
	expect_distrust("job records");
}

static void other_job_magic(void)
{
	job.magic++;
	expect_slow_distrust();
}

static void other_job_id(void)
{
	job.job_id = 7;
	expect_slow_distrust();
}

static void job_not_listed(void)
{
	listed = NULL;
	expect_slow_distrust();
}

static void other_table_size(void)
{
	node_record_count = N_NODES - 1;
	expect_distrust("node table");
}

static bool in_child;

static void run_alone(void **state)
{
	void (*test)(void) = (void (*)(void))(uintptr_t)*state;
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		in_child = true;
		start_slurmctld();
		test();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* A failed assertion makes cmocka jump out of the test: end the child there. */
static int leave_child(void **state)
{
	(void)state;
	if (in_child)
		_exit(1);
	return 0;
}

#define ALONE(test)                                        \
	{                                                  \
		.name = #test, .test_func = run_alone,     \
		.teardown_func = leave_child,              \
		.initial_state = (void *)(uintptr_t)(test) \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ALONE(equal_levels_change_nothing),
		ALONE(levels_order_the_candidates),
		ALONE(weights_saturate),
		ALONE(reservation_is_passed_on),
		ALONE(no_candidate_leaves_it_open),
		ALONE(other_version),
		ALONE(other_node_magic),
		ALONE(other_node_index),
		ALONE(other_node_size),
		ALONE(node_without_record),
		ALONE(node_without_name),
		ALONE(other_job_size),
		ALONE(other_job_magic),
		ALONE(other_job_id),
		ALONE(job_not_listed),
		ALONE(other_table_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
