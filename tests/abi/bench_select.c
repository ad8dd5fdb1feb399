/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bench_select.c - what the select plugin adds to one call of job_test
 *
 *	bench_select [NODES...]
 *
 * The plugin is linked in unchanged, with a slurmctld of so many nodes that are
 * all devices, and an original that answers at once with one of them; so all
 * of the time is the plugin's own.  Prints a JSON object a line:
 * {"nodes": n, "metric": m, "ns_per_call": x, "ns_per_node": y}, m being
 *
 *	read      the node table alone, nothing new in it
 *	run_now   a start, every device with an outlook of its own, devices
 *	          being heard and records rewritten as those of a lab are
 *	will_run  the same as a plan
 *	kinds     starts of jobs with ever other time limits
 *	others    a job whose candidates are no devices
 *
 * Figures are only worth something from a build without sanitizers.
 */
#include "fake_slurmctld.h"
#include "nodetable.h"
#include "score.h"

#include <dlfcn.h>
#include <sys/wait.h>
#include <time.h>

#define CALLS     2000
#define MODE_FLAG 0x100

node_record_t **node_record_table_ptr;
int node_record_count;
time_t last_node_update;

static uint64_t *words; /* a bitmap as Slurm's: size first, 64 bits a word */
static uint64_t bitmap[2 + VOL_NODETABLE_MAX / 64];
static job_record_t job;
static struct vol_nodetable *table;
static struct vol_nodetable_node *devices;
static char folder[] = "/dev/shm/vol-bench.XXXXXX", path[64];

bitoff_t bit_size(bitstr_t *b)
{
	return b[0];
}

int bit_test(bitstr_t *b, bitoff_t bit)
{
	return (int)((uint64_t)b[1 + bit / 64] >> bit % 64 & 1);
}

void bit_set(bitstr_t *b, bitoff_t bit)
{
	b[1 + bit / 64] |= (bitstr_t)(UINT64_C(1) << bit % 64);
}

void bit_clear(bitstr_t *b, bitoff_t bit)
{
	b[1 + bit / 64] &= (bitstr_t) ~(UINT64_C(1) << bit % 64);
}

size_t slurm_xsize(void *item)
{
	return item == &job ? sizeof(job_record_t) : sizeof(node_record_t);
}

job_record_t *find_job_record(uint32_t job_id)
{
	return job_id == JOB_ID ? &job : NULL;
}

void slurm_info(const char *fmt, ...)
{
	(void)fmt;
}

void slurm_error(const char *fmt, ...)
{
	fputs(fmt, stderr);
	abort();
}

/* One node, as if the first were the best. */
static void take_one(void)
{
	uint64_t *w = words + 1;

	while (!*w)
		w++;
	*w &= -*w;
	memset(w + 1, 0,
	       (size_t)((char *)(words + 1 + (words[0] + 63) / 64) -
			(char *)(w + 1)));
}

static uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void put(uint32_t i, uint32_t round)
{
	struct vol_nodetable_node *node = &devices[i];
	uint32_t left = VOL_OUTLOOK_ONE;

	node->heard_s = clock_ns() / 1000000000;
	for (size_t k = 0; k < VOL_OUTLOOK_POINTS; k++) {
		left -= left / (8 + (i * 7 + round) % 90);
		node->outlook.survive[k] = (uint16_t)left;
	}
	if (vol_nodetable_put(table, node, NULL) < 0)
		abort();
}

static void start(uint32_t n)
{
	words = bitmap;
	words[0] = n;
	node_record_count = (int)n;
	node_record_table_ptr = calloc(n, sizeof(*node_record_table_ptr));
	devices = calloc(n, sizeof(*devices));
	table = vol_nodetable_create(path, n, NULL);
	if (!node_record_table_ptr || !devices || !table)
		abort();
	for (uint32_t i = 0; i < n; i++) {
		node_record_t *node = calloc(1, sizeof(*node));

		if (!node)
			abort();
		snprintf(devices[i].name, sizeof(devices[i].name), "desk%u", i);
		snprintf(devices[i].id, sizeof(devices[i].id), "%032x", i);
		devices[i].state =
			i % 10 ? VOL_NODETABLE_OPEN : VOL_NODETABLE_PARKED;
		devices[i].quiet_s = 3600;
		devices[i].speed = 500 + i % 1000;
		put(i, 0);
		node->magic = NODE_MAGIC;
		node->index = i;
		node->name = strdup(devices[i].name);
		node->weight = 1;
		node_record_table_ptr[i] = node;
	}
	job.magic = JOB_MAGIC;
	job.job_id = JOB_ID;
	job.time_limit = 60;
	*(uint32_t *)dlsym(RTLD_NEXT, "plugin_version") = SLURM_VERSION_NUMBER;
	fake_base.hook = take_one;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* The median: others use this machine, too. */
static void report(uint32_t n, const char *metric, uint64_t ns[CALLS])
{
	qsort(ns, CALLS, sizeof(*ns), compare);
	printf("{\"nodes\": %u, \"metric\": \"%s\", \"ns_per_call\": %.0f, "
	       "\"ns_per_node\": %.2f}\n",
	       n, metric, (double)ns[CALLS / 2], (double)ns[CALLS / 2] / n);
	fflush(stdout);
}

/* In a millisecond of its own: in the same one the table is not read again. */
static uint64_t one_call(uint16_t mode)
{
	uint64_t before = clock_ns();

	while (clock_ns() / 1000000 == before / 1000000)
		;
	memset(words + 1, 0xff, (words[0] + 63) / 64 * 8);
	before = clock_ns();
	select_p_job_test(&job, (bitstr_t *)words, 1, 1, 1, mode | MODE_FLAG,
			  NULL, NULL, NULL, NULL, NULL, NULL);
	return clock_ns() - before;
}

static void measure(uint32_t n, const char *metric, uint16_t mode, bool kinds)
{
	uint64_t ns[CALLS];

	one_call(mode);
	for (uint32_t i = 0; i < CALLS; i++) {
		/* Each device says something every 10 s and has another
		 * outlook every minute; a call every 5 ms. */
		for (uint32_t k = 0; k < 1 + n / 2000; k++)
			vol_nodetable_mark(table, devices[(i * 7 + k) % n].id,
					   devices[(i * 7 + k) % n].state,
					   clock_ns() / 1000000000);
		if (i % (1 + 12000 / n) == 0)
			put(i % n, i);
		vol_nodetable_beat(table, clock_ns() / 1000000);
		if (kinds)
			job.time_limit = 60 + i;
		ns[i] = one_call(mode);
	}
	job.time_limit = 60;
	report(n, metric, ns);
}

static void measure_read(uint32_t n)
{
	struct vol_nodeview *view = vol_nodeview_create(path);
	uint64_t ns[CALLS];

	vol_nodetable_beat(table, clock_ns() / 1000000);
	vol_nodeview_refresh(view, clock_ns() / 1000000, NULL);
	for (uint32_t i = 0; i < CALLS; i++) {
		uint64_t before = clock_ns();

		if (vol_nodeview_refresh(view, before / 1000000, NULL) < 0)
			abort();
		ns[i] = clock_ns() - before;
	}
	vol_nodeview_destroy(view);
	report(n, "read", ns);
}

/* In a process of its own: the plugin keeps what it knows. */
static void bench(uint32_t n)
{
	pid_t pid = fork();
	int status;

	if (pid < 0)
		abort();
	if (pid > 0) {
		waitpid(pid, &status, 0);
		if (status != 0)
			exit(1);
		return;
	}
	vol_select_folder = folder;
	start(n);
	measure_read(n);
	measure(n, "run_now", SELECT_MODE_RUN_NOW, false);
	measure(n, "will_run", SELECT_MODE_WILL_RUN, false);
	measure(n, "kinds", SELECT_MODE_RUN_NOW, true);
	for (uint32_t i = 0; i < n; i++)
		vol_nodetable_remove(table, devices[i].id);
	vol_nodetable_beat(table, clock_ns() / 1000000);
	one_call(SELECT_MODE_RUN_NOW);
	{
		uint64_t ns[CALLS];

		for (uint32_t i = 0; i < CALLS; i++)
			ns[i] = one_call(SELECT_MODE_RUN_NOW);
		report(n, "others", ns);
	}
	_exit(0);
}

int main(int argc, char *argv[])
{
	static const char *const usual[] = {"100", "1000", "10000"};
	char command[80];

	if (!mkdtemp(folder))
		return 1;
	snprintf(path, sizeof(path), "%s/%s", folder, VOL_NODETABLE_FILE);
	for (int i = 0; i < (argc > 1 ? argc - 1 : 3); i++) {
		unsigned long n =
			strtoul(argc > 1 ? argv[i + 1] : usual[i], NULL, 10);

		if (n < 1 || n > VOL_NODETABLE_MAX) {
			fputs("usage: bench_select [NODES...]\n", stderr);
			return 2;
		}
		bench((uint32_t)n);
	}
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command) == 0 ? 0 : 1;
}
