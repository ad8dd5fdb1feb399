/* SPDX-License-Identifier: GPL-2.0-or-later */
/* owner_load.c - an owner at work, who notices what else runs
 *
 *	owner_load SECONDS
 *
 * First as a desktop that reacts: sleep a millisecond, work for 0.3 ms; how
 * late is each wake-up?  Then as a program that computes on every CPU that it
 * may use: how much gets done, and what share of the CPUs did it get?  Prints
 * one JSON object.
 */
#define _GNU_SOURCE
#include <err.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SLEEP_NS 1000000LL
#define WORK_NS  300000LL
#define CHUNK    100000
#define CPUS_MAX CPU_SETSIZE

static int64_t deadline_ns;

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static uint64_t compute(uint64_t x)
{
	for (int i = 0; i < CHUNK; i++)
		x = x * 6364136223846793005ULL + 1442695040888963407ULL;
	return x;
}

static int by_size(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* How late one wake-up is, and then some work. */
static int64_t wake_up(void)
{
	int64_t due = now_ns() + SLEEP_NS, late;
	struct timespec t = {due / 1000000000LL, due % 1000000000LL};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
	late = now_ns() - due;
	while (now_ns() < due + late + WORK_NS)
		;
	return late;
}

static void react(long seconds)
{
	size_t max = (size_t)seconds * 1000, n = 0;
	int64_t *late = calloc(max, sizeof(*late));
	int64_t end = now_ns() + seconds * 1000000000LL;

	if (!late)
		err(1, "latencies");
	while (n < max && now_ns() < end)
		late[n++] = wake_up();
	qsort(late, n, sizeof(*late), by_size);
	printf("{\"wakeups\": %zu, \"p50_us\": %.1f, \"p99_us\": %.1f, "
	       "\"max_us\": %.1f, ",
	       n, (double)late[n / 2] / 1e3, (double)late[n * 99 / 100] / 1e3,
	       (double)late[n - 1] / 1e3);
	free(late);
}

struct worker {
	_Alignas(64) uint64_t chunks;
	int64_t cpu_ns;
};

static void *work(void *arg)
{
	struct worker *w = arg;
	struct timespec cpu;
	uint64_t x = 1;

	while (now_ns() < deadline_ns) {
		x = compute(x);
		w->chunks++;
	}
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu);
	w->cpu_ns = cpu.tv_sec * 1000000000LL + cpu.tv_nsec;
	/* The result must be wanted, or nothing is computed. */
	return (void *)(uintptr_t)x;
}

static void produce(long seconds)
{
	static struct worker worker[CPUS_MAX];
	pthread_t thread[CPUS_MAX];
	cpu_set_t allowed;
	long cpus = 1;
	int64_t start = now_ns();
	uint64_t chunks = 0;
	int64_t cpu_ns = 0, wall_ns;

	if (sched_getaffinity(0, sizeof(allowed), &allowed) == 0)
		cpus = CPU_COUNT(&allowed);
	deadline_ns = start + seconds * 1000000000LL;
	for (long i = 0; i < cpus; i++)
		if (pthread_create(&thread[i], NULL, work, &worker[i]))
			errx(1, "no thread");
	for (long i = 0; i < cpus; i++) {
		pthread_join(thread[i], NULL);
		chunks += worker[i].chunks;
		cpu_ns += worker[i].cpu_ns;
	}
	wall_ns = now_ns() - start;
	printf("\"threads\": %ld, \"chunks_per_s\": %.2f, \"share\": %.4f}\n",
	       cpus, (double)chunks * 1e9 / (double)wall_ns,
	       (double)cpu_ns / (double)wall_ns / (double)cpus);
}

int main(int argc, char **argv)
{
	long seconds = argc == 2 ? atol(argv[1]) : 0;

	if (seconds < 1 || seconds > 3600)
		errx(2, "usage: owner_load SECONDS");
	react(seconds);
	produce(seconds);
	return 0;
}
