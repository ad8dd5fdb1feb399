/* SPDX-License-Identifier: GPL-2.0-or-later */
/* threads.c - a POSIX timer, at each tick of which some threads do their part
 */
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "section.h"

#define THREADS 4
#define TICKS   200 /* of 10 ms, in each section */

static pthread_barrier_t begin, end;
static uint64_t sum[THREADS];
static sem_t ticks;

static void on_tick(int number)
{
	(void)number;
	sem_post(&ticks);
}

static void *work(void *arg)
{
	uint64_t *x = arg;

	for (;;) {
		pthread_barrier_wait(&begin);
		for (int i = 0; i < 1000; i++)
			*x = *x * 6364136223846793005u + 1442695040888963407u;
		pthread_barrier_wait(&end);
	}
	return NULL;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(void)
{
	struct itimerspec each = {{0, 10000000}, {0, 10000000}};
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL,
				 .sigev_signo = SIGRTMIN + 3};
	double first = now(), last = first;
	pthread_t thread;
	timer_t timer;

	sem_init(&ticks, 0, 0);
	signal(SIGRTMIN + 3, on_tick);
	pthread_barrier_init(&begin, NULL, THREADS + 1);
	pthread_barrier_init(&end, NULL, THREADS + 1);
	for (int i = 0; i < THREADS; i++) {
		sum[i] = (uint64_t)i;
		if (pthread_create(&thread, NULL, work, &sum[i]) != 0)
			return 1;
	}
	if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0 ||
	    timer_settime(timer, 0, &each, NULL) != 0)
		return 1;
	for (int s = 0; s < SECTIONS; s++) {
		section(s);
		for (int i = 0; i < TICKS; i++) {
			while (sem_wait(&ticks) != 0)
				;
			pthread_barrier_wait(&begin);
			pthread_barrier_wait(&end);
			if (now() < last)
				puts("the clock went back");
			last = now();
		}
		for (int i = 0; i < THREADS; i++)
			printf("%d %d %llx\n", s, i,
			       (unsigned long long)sum[i]);
	}
	/* A wait of minutes elsewhere is none of its time, ticks are. */
	printf("%s\n", last - first > 0.01 * TICKS * (SECTIONS - 1)
			       ? "the clock went on"
			       : "the clock stood still");
	return 0;
}
