/* SPDX-License-Identifier: GPL-2.0-or-later */
/* parkclock.c - for how long each job was stopped here; pure */
#include "config.h"

#include "device/parkclock.h"

#include <stdlib.h>
#include <string.h>

static uint64_t total_ms(const struct vol_parked_job *p, uint64_t now_ms)
{
	return p->total_ms + (p->stopped ? now_ms - p->stopped_ms : 0);
}

struct vol_parked_job *vol_parkclock_job(struct vol_parkclock *c, uint32_t job)
{
	size_t i, size = c->size ? 2 * c->size : 8;
	struct vol_parked_job *grown;

	for (i = 0; i < c->n; i++)
		if (c->list[i].job == job)
			return &c->list[i];
	if (c->n == c->size) {
		grown = realloc(c->list, size * sizeof(*grown));
		if (!grown)
			return NULL;
		c->list = grown;
		c->size = size;
	}
	c->changed = true;
	c->list[c->n] = (struct vol_parked_job){.job = job};
	return &c->list[c->n++];
}

void vol_parkclock_clear(struct vol_parkclock *c)
{
	free(c->list);
	memset(c, 0, sizeof(*c));
}

int vol_parkclock_jobs(struct vol_parkclock *c, const uint32_t *jobs,
		       const bool *stopped, size_t n, uint64_t now_ms)
{
	struct vol_parked_job *p;
	size_t i;

	for (i = 0; i < c->n; i++)
		c->list[i].here = false;
	for (i = 0; i < n; i++) {
		p = vol_parkclock_job(c, jobs[i]);
		if (!p)
			return -1;
		p->here = true;
		c->changed |= p->stopped != stopped[i];
		p->total_ms = total_ms(p, now_ms);
		p->stopped = stopped[i];
		p->stopped_ms = now_ms;
	}
	for (i = c->n; i-- > 0;) {
		if (c->list[i].here)
			continue;
		c->list[i] = c->list[--c->n];
		c->changed = true;
	}
	return 0;
}

uint32_t vol_parkclock_tell(struct vol_parkclock *c, uint64_t now_ms,
			    uint32_t every_s, uint32_t *seconds)
{
	for (size_t i = 0; i < c->n; i++) {
		struct vol_parked_job *p = &c->list[i];
		uint32_t s = (uint32_t)(total_ms(p, now_ms) / 1000);

		if (s == p->told_s || (p->stopped && s - p->told_s < every_s))
			continue;
		p->told_s = *seconds = s;
		return p->job;
	}
	return 0;
}

void vol_parkclock_untell(struct vol_parkclock *c)
{
	for (size_t i = 0; i < c->n; i++)
		c->list[i].told_s = 0;
}
