/* SPDX-License-Identifier: GPL-2.0-or-later */
/* jobs.c - what scientists submit */
#include "jobs.h"

#include <math.h>
#include <stdlib.h>

#define DAY 86400

static double campaign_run_s(struct rng *r)
{
	double which = rng_uniform(r, 0, 1);
	double from = 300, to = 1800;

	if (which >= 0.93) {
		from = 6 * 3600;
		to = 14 * 3600;
	} else if (which >= 0.75) {
		from = 2 * 3600;
		to = 6 * 3600;
	} else if (which >= 0.45) {
		from = 1800;
		to = 2 * 3600;
	}
	return from * pow(to / from, rng_uniform(r, 0, 1));
}

static int64_t campaign_submit(struct rng *r, int64_t start, int64_t end)
{
	unsigned int days = (unsigned int)((end - start) / DAY);
	unsigned int day;

	if (!rng_chance(r, 0.7))
		return start +
		       (int64_t)rng_uniform(r, 0, (double)(end - start));
	do
		day = rng_below(r, days);
	while (day % 7 >= 5);
	return start + (int64_t)day * DAY +
	       (int64_t)(3600 * rng_uniform(r, 9, 19));
}

static int add(struct jobs *jobs, struct job job)
{
	if (jobs->n == jobs->room) {
		size_t room = jobs->room ? 2 * jobs->room : 256;
		struct job *more = realloc(jobs->job, room * sizeof(*more));

		if (!more)
			return -1;
		jobs->job = more;
		jobs->room = room;
	}
	jobs->job[jobs->n++] = job;
	return 0;
}

static uint32_t round_up(double s)
{
	uint32_t to = s > 3600 ? 1800 : 300;

	return ((uint32_t)s + to - 1) / to * to;
}

static int by_submit(const void *a, const void *b)
{
	const struct job *x = a, *y = b;

	if (x->submit != y->submit)
		return x->submit < y->submit ? -1 : 1;
	return (x->run_s > y->run_s) - (x->run_s < y->run_s);
}

int jobs_generate(struct jobs *jobs, struct rng rng, int64_t start, int64_t end,
		  double work_s)
{
	while (work_s > 0) {
		double run = campaign_run_s(&rng), longest = 0;
		int64_t submit = campaign_submit(&rng, start, end);
		size_t first = jobs->n, n = 1;

		if (rng_chance(&rng, 0.5))
			n = 2 + rng_below(&rng, 19);
		for (; n > 0 && work_s > 0; n--) {
			struct job job = {.submit = submit};
			double s = run * exp(rng_normal(&rng, 0, 0.1));

			job.run_s = (uint32_t)s;
			longest = fmax(longest, s);
			work_s -= s;
			if (add(jobs, job) < 0)
				return -1;
		}
		longest *= rng_uniform(&rng, 1.1, 2);
		for (size_t i = first; i < jobs->n; i++)
			jobs->job[i].limit_s = round_up(longest);
	}
	qsort(jobs->job, jobs->n, sizeof(*jobs->job), by_submit);
	return 0;
}

void jobs_clear(struct jobs *jobs)
{
	free(jobs->job);
	*jobs = (struct jobs){0};
}
