/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckperiod.c - which job of a device is written down next, and when; pure */
#include "config.h"

#include "ckperiod.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MS_PER_S 1000

static struct vol_ckturn *find(const struct vol_ckperiod *p, uint32_t job)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->list[i].is.job == job)
			return &p->list[i];
	return NULL;
}

void vol_ckperiod_clear(struct vol_ckperiod *p)
{
	free(p->list);
	*p = (struct vol_ckperiod){.n = 0};
}

int vol_ckperiod_look(struct vol_ckperiod *p, const struct vol_ckjob *jobs,
		      size_t n, uint64_t now_ms)
{
	uint64_t gone_ms = now_ms > p->looked_ms ? now_ms - p->looked_ms : 0;
	struct vol_ckturn *list = calloc(n + 1, sizeof(*list));

	if (!list)
		return -1;
	for (size_t i = 0; i < n; i++) {
		const struct vol_ckturn *before = find(p, jobs[i].job);

		if (before && before->is.restarts == jobs[i].restarts) {
			list[i] = *before;
			list[i].ran_ms += before->is.runs ? gone_ms : 0;
			list[i].since_ms += before->is.runs ? gone_ms : 0;
		}
		list[i].is = jobs[i];
	}
	free(p->list);
	p->list = list;
	p->n = n;
	p->looked_ms = now_ms;
	return 0;
}

static uint64_t interval(const struct vol_ckturn *t)
{
	unsigned int twice = t->failures > 0 ? t->failures - 1 : 0;

	if (twice > VOL_CKPERIOD_BACKOFF)
		twice = VOL_CKPERIOD_BACKOFF;
	return t->is.every_ms << twice;
}

uint32_t vol_ckperiod_due(const struct vol_ckperiod *p, uint64_t *wait_ms)
{
	const struct vol_ckturn *first = NULL;
	uint64_t late_ms = 0;

	for (size_t i = 0; i < p->n; i++) {
		const struct vol_ckturn *t = &p->list[i];
		uint64_t every_ms = interval(t);

		if (!t->is.runs)
			continue;
		if (t->ran_ms < every_ms) {
			if (every_ms - t->ran_ms < *wait_ms)
				*wait_ms = every_ms - t->ran_ms;
		} else if (!first || t->ran_ms - every_ms > late_ms) {
			first = t;
			late_ms = t->ran_ms - every_ms;
		}
	}
	return first ? first->is.job : 0;
}

void vol_ckperiod_written(struct vol_ckperiod *p, uint32_t job)
{
	struct vol_ckturn *t = find(p, job);

	if (t)
		t->since_ms = 0;
}

void vol_ckperiod_ended(struct vol_ckperiod *p, uint32_t job,
			enum vol_ckend how)
{
	struct vol_ckturn *t = find(p, job);

	if (!t || how == VOL_CKEND_BROKEN_OFF)
		return;
	if (how == VOL_CKEND_FAILED) {
		t->ran_ms = 0;
		t->failures++;
		return;
	}
	t->ran_ms = how == VOL_CKEND_SAFE ? t->since_ms : t->is.every_ms;
	t->failures = 0;
}

unsigned int vol_ckperiod_failures(const struct vol_ckperiod *p, uint32_t job)
{
	const struct vol_ckturn *t = find(p, job);

	return t ? t->failures : 0;
}

uint64_t vol_ckperiod_every_ms(uint32_t asked_s,
			       const struct vol_outlook *outlook,
			       const struct vol_ckestimate *e,
			       uint64_t owner_ms)
{
	uint32_t s = asked_s ? asked_s
			     : vol_ckplan_interval_s(outlook, e->dump_ms,
						     VOL_CKPLAN_SUDDEN);
	uint64_t ms = (uint64_t)s * MS_PER_S, max_ms, rest_ms;

	max_ms = UINT64_C(1000) * VOL_CKEVERY_MAX_S;
	/* Each is 10^18 at most. */
	rest_ms = (e->dump_ms + e->send_ms) / 2 >= max_ms
			  ? max_ms
			  : VOL_CKPERIOD_REST * (e->dump_ms + e->send_ms);
	ms = ms < owner_ms ? owner_ms : ms;
	ms = ms < rest_ms ? rest_ms : ms;
	return ms < max_ms ? ms : max_ms;
}
