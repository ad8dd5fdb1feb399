/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckplan.c - when to write a job down, and whether there is time for it */
#include "config.h"

#include "ckplan.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "units.h"

/* Of the iteration: each step halves the error or better. */
#define ROUNDS 32

#define MS_PER_S 1000

void vol_ckrates_init(struct vol_ckrates *rates)
{
	*rates = (struct vol_ckrates){
		.dump = 200000000,
		.send = 10000000,
		.fixed_ms = 300,
		.packed_pct = 100,
	};
}

/* A quarter of the new one; never 0, by which is divided. */
static uint64_t blend(uint64_t old, double new)
{
	double value = 0.75 * (double)old + 0.25 * new;

	return value < 1 ? 1 : value > 1e15 ? (uint64_t)1e15 : (uint64_t)value;
}

/* Below this much the fixed part is what is measured, above it the rest. */
#define MOSTLY_FIXED (UINT64_C(16) << 20)

void vol_ckrates_dumped(struct vol_ckrates *rates, uint64_t memory, uint32_t ms,
			uint64_t packed)
{
	if (memory == 0 || ms == 0)
		return;
	if (memory < MOSTLY_FIXED) {
		rates->fixed_ms = (uint32_t)blend(rates->fixed_ms, ms);
	} else {
		double moving = ms > rates->fixed_ms + 1.0
					? (double)ms - rates->fixed_ms
					: 1;

		rates->dump =
			blend(rates->dump, (double)memory * MS_PER_S / moving);
	}
	rates->packed_pct = (uint32_t)blend(
		rates->packed_pct,
		fmin(100.0 * (double)packed / (double)memory, 1000));
}

void vol_ckrates_sent(struct vol_ckrates *rates, uint64_t bytes, uint32_t ms)
{
	if (bytes > 0 && ms > 0)
		rates->send = blend(rates->send, (double)bytes * MS_PER_S / ms);
}

static uint64_t whole(double value)
{
	return value >= 1e18 ? (uint64_t)1e18 : (uint64_t)ceil(value);
}

void vol_ckestimate(const struct vol_ckrates *rates, uint64_t memory,
		    struct vol_ckestimate *e)
{
	double packed = (double)memory * rates->packed_pct / 100;

	*e = (struct vol_ckestimate){
		.dump_ms =
			whole(rates->fixed_ms +
			      (double)memory * MS_PER_S /
				      (double)(rates->dump ? rates->dump : 1)),
		.send_ms = whole(packed * MS_PER_S /
				 (double)(rates->send ? rates->send : 1)),
		.disk = whole((double)memory + packed),
		.network = whole(packed),
	};
}

/* The reason, in units that people read. */
static int too_much(uint64_t memory, const char *what, uint64_t need,
		    uint64_t have, int errnum, struct vol_error *err)
{
	char size[32], a[32], b[32];

	vol_size_format(memory, size, sizeof(size));
	if (errnum == ETIME) {
		/* To the second, as a person would say it. */
		vol_duration_format((need + 999) / 1000 * 1000, a, sizeof(a));
		vol_duration_format(have, b, sizeof(b));
	} else {
		vol_size_format(need, a, sizeof(a));
		vol_size_format(have, b, sizeof(b));
	}
	return vol_errorf_errno(err, errnum,
				"%s of memory take %s%s, and %s %s", size, a,
				what, b,
				errnum == ETIME ? "is what the owner allows"
						: "are what the owner allows");
}

int vol_ckplan_affords(const struct vol_ckestimate *e, uint64_t memory,
		       const struct vol_ckbudget *budget, struct vol_error *err)
{
	if (e->disk > budget->disk)
		return too_much(memory, " of disk", e->disk, budget->disk,
				EFBIG, err);
	if (e->network > budget->network)
		return too_much(memory, " of network", e->network,
				budget->network, EFBIG, err);
	/* Each is 10^18 at most. */
	if (e->dump_ms + e->send_ms > budget->time_ms)
		return too_much(memory, "", e->dump_ms + e->send_ms,
				budget->time_ms, ETIME, err);
	return 0;
}

double vol_ckplan_young(double cost, double m)
{
	return sqrt(2 * cost * m);
}

double vol_ckplan_daly(double cost, double m)
{
	double ratio = cost / (2 * m);

	if (!(ratio < 1))
		return m;
	return vol_ckplan_young(cost, m) * (1 + sqrt(ratio) / 3 + ratio / 9) -
	       cost;
}

/* Mean time between losses, as the outlook has it over the next t seconds. */
static double mean_time(const struct vol_outlook *outlook, double t,
			double share)
{
	double survival = vol_outlook_survival(outlook, (uint32_t)t);
	/* Certain to be gone: within that time, that is. */
	double hazard = survival > 0 ? -log(survival) : 12;

	hazard *= share;
	return hazard > 0 ? t / hazard : INFINITY;
}

uint32_t vol_ckplan_interval_s(const struct vol_outlook *outlook,
			       uint64_t cost_ms, unsigned int per_mille)
{
	double cost = fmax((double)cost_ms / MS_PER_S, 0.001);
	double share = fmin(per_mille, 1000) / 1000;
	double t = VOL_CKPLAN_MIN_S;

	for (int i = 0; i < ROUNDS; i++) {
		double next = vol_ckplan_daly(
			cost, fmin(mean_time(outlook, t, share), 1e12));

		/* Half the way: a curve with steps would make it swing. */
		t = (t +
		     fmin(fmax(next, VOL_CKPLAN_MIN_S), VOL_CKEVERY_MAX_S)) /
		    2;
	}
	return (uint32_t)lround(t);
}
