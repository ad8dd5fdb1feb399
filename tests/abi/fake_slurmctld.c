/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fake_slurmctld.c - a pretended slurmctld around the select plugin */
#include "fake_slurmctld.h"

#include <dlfcn.h>
#include <sys/wait.h>
#include <time.h>

struct fake_slurmctld ctld;
struct seen seen[MAX_CALLS];
struct answer answers[MAX_CALLS];
static unsigned int called;

node_record_t **node_record_table_ptr;
int node_record_count;
time_t last_node_update;

bitoff_t bit_size(bitstr_t *b)
{
	return b[0];
}

int bit_test(bitstr_t *b, bitoff_t bit)
{
	return (int)b[1 + bit];
}

void bit_set(bitstr_t *b, bitoff_t bit)
{
	b[1 + bit] = 1;
}

void bit_clear(bitstr_t *b, bitoff_t bit)
{
	b[1 + bit] = 0;
}

size_t slurm_xsize(void *item)
{
	if (item == &ctld.part)
		return sizeof(ctld.part);
	return item == &ctld.job ? ctld.job_size : ctld.node_size;
}

job_record_t *find_job_record(uint32_t job_id)
{
	return job_id == JOB_ID ? ctld.listed : NULL;
}

static void append_log(const char *fmt, va_list ap)
{
	size_t len = strlen(ctld.log_text);

	vsnprintf(ctld.log_text + len, sizeof(ctld.log_text) - len, fmt, ap);
	strncat(ctld.log_text, "\n",
		sizeof(ctld.log_text) - strlen(ctld.log_text) - 1);
}

void slurm_info(const char *fmt, ...)
{
	va_list ap;

	ctld.infos++;
	va_start(ap, fmt);
	append_log(fmt, ap);
	va_end(ap);
}

void slurm_error(const char *fmt, ...)
{
	va_list ap;

	ctld.errors++;
	va_start(ap, fmt);
	append_log(fmt, ap);
	va_end(ap);
}

/* The original plugin decides. */
static void decide(void)
{
	struct answer *answer;
	struct seen *s;

	assert_true(called < MAX_CALLS);
	answer = &answers[called];
	s = &seen[called++];
	for (int i = 0; i < N_NODES; i++) {
		s->candidate[i] = bit_test(ctld.nodes, i);
		s->weight[i] = ctld.records[i].weight;
		s->sched_weight[i] = ctld.records[i].sched_weight;
		/* What it does not use it takes away, and when it fails there
		 * is no telling. */
		if (answer->nodes || answer->rc != SLURM_SUCCESS)
			ctld.nodes[1 + i] &= answer->nodes >> i & 1;
	}
	if (answer->rc == SLURM_SUCCESS && answer->start)
		ctld.job.start_time = answer->start;
	fake_base.rc = answer->rc;
}

static void start(void)
{
	for (int i = 0; i < N_NODES; i++) {
		snprintf(ctld.names[i], sizeof(ctld.names[i]), "n%d", i);
		ctld.records[i].magic = NODE_MAGIC;
		ctld.records[i].index = (uint32_t)i;
		ctld.records[i].name = ctld.names[i];
		ctld.records[i].weight = WEIGHT;
		ctld.records[i].sched_weight = SCHED_WEIGHT;
		ctld.table[i] = &ctld.records[i];
		ctld.nodes[1 + i] = 1;
	}
	ctld.nodes[0] = N_NODES;
	node_record_table_ptr = ctld.table;
	node_record_count = N_NODES + 1; /* one free slot */
	ctld.node_size = sizeof(node_record_t);
	ctld.job_size = sizeof(job_record_t);
	ctld.listed = &ctld.job;
	ctld.job.magic = JOB_MAGIC;
	ctld.job.job_id = JOB_ID;
	ctld.job.time_limit = 60;
	ctld.part.magic = PART_MAGIC;
	ctld.job.part_ptr = &ctld.part;
	ctld.req = 3;
	ctld.running_version = dlsym(RTLD_NEXT, "plugin_version");
	assert_non_null(ctld.running_version);
	*ctld.running_version = SLURM_VERSION_NUMBER;
	fake_base.hook = decide;
	vol_select_folder = "/nonexistent/vol";
}

int ctld_try(uint16_t mode, unsigned int without)
{
	unsigned int calls = fake_base.calls;
	char t[3];
	/* will_run_data_t, where there is one */
	struct {
		time_t start, end;
	} part = {0, ctld.plan_end};
	void *tail[3] = {t + 1, t + 2, &part};
	void *preempt = ctld.preempts ? t : NULL;
	int rc;

	/* The table is read once a millisecond. */
	nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	called = 0;
	memset(seen, 0, sizeof(seen));
	for (int i = 0; i < N_NODES; i++)
		ctld.nodes[1 + i] = !(without >> i & 1);
	rc = select_p_job_test(&ctld.job, ctld.nodes, 1, 2, ctld.req, mode,
			       preempt, tail[0], tail[1], tail[2], NULL, NULL);
	assert_true(called > 0);
	assert_int_equal(fake_base.calls, calls + called);
	assert_ptr_equal(fake_base.job, &ctld.job);
	assert_ptr_equal(fake_base.nodes, ctld.nodes);
	assert_int_equal(fake_base.min, 1);
	assert_int_equal(fake_base.max, 2);
	assert_int_equal(fake_base.req, ctld.req);
	assert_int_equal(fake_base.mode, mode);
	assert_int_equal(rc, answers[called - 1].rc);
	assert_ptr_equal(fake_base.tail[0], preempt);
	for (int i = 1; i < 4; i++)
		assert_ptr_equal(fake_base.tail[i], tail[i - 1]);
	return rc;
}

int ctld_call(uint16_t mode, unsigned int without)
{
	int rc = ctld_try(mode, without);

	for (int i = 0; i < N_NODES; i++) {
		assert_int_equal(ctld.records[i].weight, WEIGHT);
		assert_int_equal(ctld.records[i].sched_weight, SCHED_WEIGHT);
	}
	return rc;
}

unsigned int ctld_nodes(void)
{
	unsigned int nodes = 0;

	for (int i = 0; i < N_NODES; i++)
		nodes |= (unsigned int)bit_test(ctld.nodes, i) << i;
	return nodes;
}

void ctld_expect(unsigned int n, unsigned int nodes)
{
	unsigned int were = 0;

	assert_int_equal(called, n);
	for (int i = 0; i < N_NODES; i++)
		were |= (unsigned int)seen[n - 1].candidate[i] << i;
	assert_int_equal(were, nodes);
}

void ctld_expect_untouched(void)
{
	for (unsigned int call = 0; call < called; call++)
		for (int i = 0; i < N_NODES; i++) {
			assert_int_equal(seen[call].weight[i], WEIGHT);
			assert_int_equal(seen[call].sched_weight[i],
					 SCHED_WEIGHT);
		}
}

void (*ctld_cleanup)(void);
static bool in_child;

static void leave(int status)
{
	if (ctld_cleanup)
		ctld_cleanup();
	_exit(status);
}

void ctld_run_alone(void **state)
{
	void (*test)(void) = (void (*)(void))(uintptr_t)*state;
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		in_child = true;
		start();
		test();
		leave(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* A failed assertion makes cmocka jump out of the test: end the child there. */
int ctld_leave_child(void **state)
{
	(void)state;
	if (in_child)
		leave(1);
	return 0;
}
