/* SPDX-License-Identifier: GPL-2.0-or-later */
/* engine.c - jobs on devices, second by second
 *
 * Devices and jobs are few: what happens next is searched for, not queued.
 */
#include "engine.h"

#include <stdlib.h>
#include <string.h>

enum state { TO_COME, QUEUED, RUNNING, DONE };

struct task {
	enum state state;
	int64_t at; /* to come: when; running: started */
};

#define FREE SIZE_MAX
/* A job that waits for a better device is tried this often. */
#define LOOK_AGAIN_S 300

struct engine {
	struct world *w;
	const struct jobs *jobs;
	struct task *task;
	size_t first;   /* job that is not done */
	size_t arrived; /* jobs before it were submitted */
	size_t *runs;   /* job of each device, or FREE */
	size_t *candidates;
	enum policy policy;
	struct rng rng;
	struct outcome *out;
	double turnaround;
	int64_t last_end;
	bool waits; /* a job for a better device */
};

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t next_event(const struct engine *e)
{
	int64_t next = e->w->end;

	if (e->waits)
		next = earlier(next, e->w->now + LOOK_AGAIN_S);

	for (size_t i = 0; i < e->w->n; i++) {
		size_t job = e->runs[i];

		next = earlier(next, device_change(&e->w->device[i]));
		if (job != FREE)
			next = earlier(next, e->task[job].at +
						     e->jobs->job[job].run_s);
	}
	/* Evicted ones are among those that arrived. */
	for (size_t i = e->first; i < e->arrived; i++)
		if (e->task[i].state == TO_COME)
			next = earlier(next, e->task[i].at);
	if (e->arrived < e->jobs->n)
		next = earlier(next, e->task[e->arrived].at);
	return next;
}

static void finish(struct engine *e, size_t device, size_t job, int64_t at)
{
	e->runs[device] = FREE;
	e->task[job].state = DONE;
	e->out->useful_h += e->jobs->job[job].run_s / 3600.0;
	e->turnaround += (double)(at - e->jobs->job[job].submit);
	e->last_end = at;
}

static void evict(struct engine *e, size_t device, size_t job)
{
	e->runs[device] = FREE;
	e->out->evictions++;
	e->out->wasted_h += (double)(e->w->now - e->task[job].at) / 3600;
	e->task[job] = (struct task){TO_COME, e->w->now + RESTART_S};
}

/* What is over at this moment; a job that ends when its owner comes is done. */
static void collect(struct engine *e)
{
	for (size_t i = 0; i < e->w->n; i++) {
		size_t job = e->runs[i];

		if (job == FREE)
			continue;
		if (e->task[job].at + e->jobs->job[job].run_s <= e->w->now)
			finish(e, i, job, e->w->now);
		else if (!e->w->device[i].open)
			evict(e, i, job);
	}
	while (e->arrived < e->jobs->n &&
	       e->jobs->job[e->arrived].submit <= e->w->now)
		e->arrived++;
	for (size_t i = e->first; i < e->arrived; i++)
		if (e->task[i].state == TO_COME && e->task[i].at <= e->w->now)
			e->task[i].state = QUEUED;
	while (e->first < e->jobs->n && e->task[e->first].state == DONE)
		e->first++;
}

static void start(struct engine *e)
{
	e->waits = false;
	for (size_t job = e->first; job < e->arrived; job++) {
		size_t n = 0, chosen;

		if (e->task[job].state != QUEUED)
			continue;
		for (size_t i = 0; i < e->w->n; i++)
			if (e->runs[i] == FREE && e->w->device[i].open)
				e->candidates[n++] = i;
		if (n == 0)
			return;
		chosen = policy_choose(e->policy, e->w, &e->jobs->job[job],
				       (uint32_t)(e->w->now - e->task[job].at),
				       e->candidates, n, &e->rng);
		if (chosen == SIZE_MAX) {
			e->waits = true;
			continue;
		}
		e->runs[chosen] = job;
		e->task[job] = (struct task){RUNNING, e->w->now};
		e->out->starts++;
		e->out->choices += n > 1;
	}
}

static int set_up(struct engine *e)
{
	e->task = calloc(e->jobs->n + 1, sizeof(*e->task));
	e->runs = calloc(e->w->n + 1, sizeof(*e->runs));
	e->candidates = calloc(e->w->n + 1, sizeof(*e->candidates));
	if (!e->task || !e->runs || !e->candidates)
		return -1;
	for (size_t i = 0; i < e->jobs->n; i++)
		e->task[i].at = e->jobs->job[i].submit;
	for (size_t i = 0; i < e->w->n; i++)
		e->runs[i] = FREE;
	return 0;
}

static void sum_up(struct engine *e)
{
	struct outcome *out = e->out;

	out->jobs = e->jobs->n;
	for (size_t i = e->first; i < e->jobs->n; i++) {
		if (e->task[i].state == DONE)
			continue;
		out->unfinished++;
		e->last_end = e->w->now;
		e->turnaround += (double)(e->w->now - e->jobs->job[i].submit);
	}
	if (out->jobs == 0)
		return;
	out->turnaround_h = e->turnaround / 3600 / (double)out->jobs;
	out->makespan_h = (double)(e->last_end - e->jobs->job[0].submit) / 3600;
}

int simulate(struct world *w, const struct jobs *jobs, enum policy policy,
	     struct rng rng, struct outcome *out)
{
	struct engine e = {
		.w = w, .jobs = jobs, .policy = policy, .rng = rng, .out = out};
	int ret = set_up(&e);

	memset(out, 0, sizeof(*out));
	w->learn = policy == POLICY_ORDER_ONLY || policy == POLICY_OURS;
	while (ret == 0 && e.first < jobs->n && w->now < w->end) {
		world_advance(w, next_event(&e));
		collect(&e);
		start(&e);
	}
	if (ret == 0)
		sum_up(&e);
	free(e.task);
	free(e.runs);
	free(e.candidates);
	return ret;
}
