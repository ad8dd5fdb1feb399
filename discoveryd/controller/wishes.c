/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wishes.c - the queue of wishes before the registrar's thread; pure */
#include "config.h"

#include "wishes.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* FNV-1a; the names are our own, so nobody can make them collide. */
static size_t bucket_of(const char *node)
{
	uint32_t h = UINT32_C(0x811c9dc5);

	for (; *node; node++)
		h = (h ^ (uint8_t)*node) * UINT32_C(0x01000193);
	return (h ^ h >> 15) % VOL_WISHES_BUCKETS;
}

static bool is_look(const struct vol_job *job)
{
	return job->wish.action == VOL_ACT_WAIT;
}

static void count_in(struct vol_wishes *q, const struct vol_job *job)
{
	q->n++;
	q->n_patient += vol_work_is_patient(job);
	q->n_looks += is_look(job);
}

static void count_out(struct vol_wishes *q, const struct vol_job *job)
{
	q->n--;
	q->n_patient -= vol_work_is_patient(job);
	q->n_looks -= is_look(job);
}

static void hash_in(struct vol_wishes *q, struct vol_job *job)
{
	struct vol_job **bucket = &q->buckets[bucket_of(job->wish.node)];

	job->alike = *bucket;
	*bucket = job;
	count_in(q, job);
}

static void hash_out(struct vol_wishes *q, struct vol_job *job)
{
	struct vol_job **at = &q->buckets[bucket_of(job->wish.node)];

	while (*at != job)
		at = &(*at)->alike;
	*at = job->alike;
	job->alike = NULL;
	count_out(q, job);
}

void vol_wishes_init(struct vol_wishes *q)
{
	memset(q, 0, sizeof(*q));
	q->end = &q->first;
}

void vol_wishes_clear(struct vol_wishes *q)
{
	struct vol_job *job, *next;

	for (job = q->first; job; job = next) {
		next = job->next;
		free(job);
	}
	vol_wishes_init(q);
}

struct vol_job *vol_wishes_find(const struct vol_wishes *q, const char *node)
{
	struct vol_job *job = q->buckets[bucket_of(node)];

	while (job && strcmp(job->wish.node, node) != 0)
		job = job->alike;
	return job;
}

void vol_wishes_replace(struct vol_wishes *q, struct vol_job *job,
			const struct vol_wish *wish)
{
	count_out(q, job);
	job->wish = *wish;
	count_in(q, job);
}

void vol_wishes_add(struct vol_wishes *q, struct vol_job *job)
{
	job->next = NULL;
	*q->end = job;
	q->end = &job->next;
	hash_in(q, job);
}

static bool looks_wait(const struct vol_wishes *q)
{
	return q->n_looks > VOL_WISHES_FEW;
}

bool vol_wishes_await_round(const struct vol_wishes *q)
{
	return q->n_patient || looks_wait(q);
}

bool vol_wishes_due(const struct vol_wishes *q, bool round)
{
	size_t waiting = q->n_patient + (looks_wait(q) ? q->n_looks : 0);

	return round ? q->n > 0 : q->n > waiting;
}

struct vol_job *vol_wishes_take(struct vol_wishes *q, bool round)
{
	struct vol_job **from = &q->first, *job, *list = NULL, **end = &list;
	bool wait = looks_wait(q);

	while (*from) {
		job = *from;
		if (!round &&
		    (vol_work_is_patient(job) || (wait && is_look(job)))) {
			from = &job->next;
			continue;
		}
		*from = job->next;
		hash_out(q, job);
		job->next = NULL;
		*end = job;
		end = &job->next;
	}
	q->end = from;
	return list;
}

void vol_wishes_put_back(struct vol_wishes *q, struct vol_job *list)
{
	struct vol_job *job, *next, *kept = NULL, **end = &kept;

	for (job = list; job; job = next) {
		next = job->next;
		job->next = NULL;
		if (vol_wishes_find(q, job->wish.node)) {
			free(job);
			continue;
		}
		hash_in(q, job);
		*end = job;
		end = &job->next;
	}
	if (!kept)
		return;
	*end = q->first;
	if (!q->first)
		q->end = end;
	q->first = kept;
}
