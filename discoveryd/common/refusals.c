/* SPDX-License-Identifier: GPL-2.0-or-later */
/* refusals.c - log what was refused once, without a flood */
#include "config.h"

#include "refusals.h"

#include <inttypes.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

/* FNV-1a (Fowler, Noll, Vo), started from a secret. */
#define FNV_PRIME UINT64_C(0x100000001b3)

static uint64_t hash(uint64_t h, const char *s)
{
	do {
		h = (h ^ (uint8_t)*s) * FNV_PRIME;
	} while (*s++);
	return h;
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

void vol_refusals_init(struct vol_refusals *r, uint64_t now)
{
	memset(r, 0, sizeof(*r));
	/* Without entropy (never on a running Linux) only collisions become
	 * predictable. */
	if (getrandom(&r->seed, sizeof(r->seed), 0) < 0)
		r->seed = now;
	r->credit = VOL_REFUSALS_BURST;
	r->filled_ms = now;
}

static void refill(struct vol_refusals *r, uint64_t now)
{
	uint64_t n;

	if (now < r->filled_ms)
		return;
	n = (now - r->filled_ms) / VOL_REFUSALS_EVERY_MS;
	r->filled_ms += n * VOL_REFUSALS_EVERY_MS;
	if (n > VOL_REFUSALS_BURST - r->credit)
		n = VOL_REFUSALS_BURST - r->credit;
	r->credit += (uint32_t)n;
}

bool vol_refusals_new(struct vol_refusals *r, const char *peer,
		      const char *reason, uint64_t now, uint64_t *left_out)
{
	uint64_t pair = hash(hash(r->seed, peer), reason);

	for (size_t i = 0; i < r->n; i++)
		if (r->pair[i] == pair)
			return false;
	r->pair[r->next] = pair;
	r->next = (r->next + 1) % VOL_REFUSALS_PAIRS;
	if (r->n < VOL_REFUSALS_PAIRS)
		r->n++;
	refill(r, now);
	if (r->credit == 0) {
		r->left_out++;
		return false;
	}
	r->credit--;
	*left_out = r->left_out;
	r->left_out = 0;
	return true;
}

static bool is_new(struct vol_refusals *r, const char *peer, const char *reason)
{
	uint64_t left_out;

	if (!vol_refusals_new(r, peer, reason, now_ms(), &left_out))
		return false;
	if (left_out > 0)
		vol_warn("%" PRIu64 " further refusals were not logged",
			 left_out);
	return true;
}

void vol_refusals_log(struct vol_refusals *r, const char *what,
		      const char *peer, const char *reason)
{
	if (is_new(r, peer, reason))
		vol_warn("%s %s: %s", what, peer, reason);
}

void vol_refusals_log_at(struct vol_refusals *r, const char *what,
			 const char *peer, const char *where,
			 const char *reason)
{
	if (is_new(r, peer, reason))
		vol_warn("%s '%s' at %s: %s", what, peer, where, reason);
}
