/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ckplan.h - when to write a job down, and whether there is time for it; pure
 *
 * Interval: with C the cost of a checkpoint (the job stands still) and M the
 * mean time to a loss, Young (1974) found sqrt(2 C M); Daly (2006), whose form
 * is used here, goes on to
 *	sqrt(2 C M) (1 + sqrt(C / 2M) / 3 + C / 18M) - C	for C < 2M
 *	M							else
 * M is taken from the outlook of the device (outlook.h): -t / ln S(t) over the
 * interval itself, found by iteration, since an owner's return is not
 * exponential.  Only losses without an image count: of the ends that the
 * outlook foresees, most are polite and get one.
 */
#ifndef VOL_CKPLAN_H
#define VOL_CKPLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ckoption.h"
#include "error.h"
#include "outlook.h"

/* What was measured on this device, slowly forgotten (each new one counts for a
 * quarter). */
struct vol_ckrates {
	uint64_t dump;       /* bytes of memory a second, onto disk */
	uint64_t send;       /* bytes of image a second, to the controller */
	uint32_t fixed_ms;   /* of a dump of nothing */
	uint32_t packed_pct; /* image by memory: 100 is not compressed */
};

/* What stands before anything was measured: 200 MB/s, 10 MB/s (100 Mbit/s), 300
 * ms, 100 %. */
void vol_ckrates_init(struct vol_ckrates *rates);
/* A dump of memory bytes took ms, of which packed are left. */
void vol_ckrates_dumped(struct vol_ckrates *rates, uint64_t memory, uint32_t ms,
			uint64_t packed);
/* So many bytes went up in ms.  What took no time or had no bytes says
 * nothing. */
void vol_ckrates_sent(struct vol_ckrates *rates, uint64_t bytes, uint32_t ms);

struct vol_ckestimate {
	uint64_t dump_ms; /* the job stands still */
	uint64_t send_ms;
	uint64_t disk;    /* bytes, while both forms of it are there */
	uint64_t network; /* bytes */
};
/* memory: resident bytes of the job. */
void vol_ckestimate(const struct vol_ckrates *rates, uint64_t memory,
		    struct vol_ckestimate *e);

/* What the owner allows an eviction; UINT64_MAX: any. */
struct vol_ckbudget {
	uint64_t time_ms; /* dump and sending */
	uint64_t disk;    /* bytes that are free for it */
	uint64_t network; /* bytes */
};
/* 0: it may be written down.  -1 with EFBIG (disk, network) or ETIME and a
 * reason: "2.0G of memory take 4m10s, and the owner allows 2m". */
int vol_ckplan_affords(const struct vol_ckestimate *e, uint64_t memory,
		       const struct vol_ckbudget *budget,
		       struct vol_error *err);

/* Seconds of running between two checkpoints that stop the job for cost_ms
 * each, where of 1000 ends per_mille come without warning; VOL_CKPLAN_MIN_S to
 * VOL_CKEVERY_MAX_S. */
#define VOL_CKPLAN_SUDDEN 100 /* where nothing else is known */
#define VOL_CKPLAN_MIN_S  60  /* a dump each minute is what a device can do */
uint32_t vol_ckplan_interval_s(const struct vol_outlook *outlook,
			       uint64_t cost_ms, unsigned int per_mille);

/* Young's and Daly's own, in seconds, for mean time m between losses. */
double vol_ckplan_young(double cost, double m);
double vol_ckplan_daly(double cost, double m);

#endif
