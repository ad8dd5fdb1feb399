/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compat.h - what differs between the Slurm releases 22.05 to 26.05
 *
 * The first six arguments of job_test are the same in all of them:
 *
 *	job_record_t *job, bitstr_t *nodes,
 *	uint32_t min, uint32_t max, uint32_t req, uint16_t mode
 *
 * followed by three (up to 24.05) or four pointers.  The plugin takes and
 * forwards VOL_TAIL_ARGS opaque pointers whatever it was built for, so that it
 * also passes the call on intact inside a slurmctld of another release.  That
 * is sound in the C calling conventions of every architecture Slurm runs on:
 * the caller removes the arguments, and a slot that it did not fill is copied
 * but never looked at.
 */
#ifndef VOL_SELECT_COMPAT_H
#define VOL_SELECT_COMPAT_H

#if SLURM_VERSION_NUMBER < SLURM_VERSION_NUM(22, 5, 0)
#error "Slurm 22.05 is the oldest release with dynamic nodes"
#endif

#if SLURM_VERSION_NUMBER < SLURM_VERSION_NUM(23, 2, 0)
#include "src/common/select.h"
#else
#include "src/interfaces/select.h"
#endif

#define VOL_HEAD_ARGS \
	job_record_t *, bitstr_t *, uint32_t, uint32_t, uint32_t, uint16_t

/* The tail that this release declares; checked against its header below. */
#if SLURM_VERSION_NUMBER < SLURM_VERSION_NUM(23, 11, 0)
#define VOL_RELEASE_TAIL List, List *, bitstr_t *
#elif SLURM_VERSION_NUMBER < SLURM_VERSION_NUM(24, 11, 0)
#define VOL_RELEASE_TAIL List, List *, resv_exc_t *
#else
#define VOL_RELEASE_TAIL list_t *, list_t **, resv_exc_t *, will_run_data_t *
#endif

_Static_assert(__builtin_types_compatible_p(__typeof__(select_g_job_test),
					    int(VOL_HEAD_ARGS,
						VOL_RELEASE_TAIL)),
	       "this release of Slurm calls job_test with other arguments");

/* Two more than any release so far. */
#define VOL_TAIL_ARGS 6
#define VOL_TAIL_DECL void *t1, void *t2, void *t3, void *t4, void *t5, void *t6
#define VOL_TAIL      t1, t2, t3, t4, t5, t6

/* What is asked for; flags are above it. */
#define VOL_MODE(mode) ((mode)&SELECT_MODE_BASE)

/* Since 24.11 backfill plans in parts: can it start before then?  When it can
 * not, it asks about later; only the last part has no end, and a plan about all
 * of the future is the last.  t4 is the last argument of that release. */
#if SLURM_VERSION_NUMBER < SLURM_VERSION_NUM(24, 11, 0)
#define VOL_PLANS_IN_PARTS 0
#define VOL_MORE_PARTS(t4) false
#else
#define VOL_PLANS_IN_PARTS 1
#define VOL_MORE_PARTS(t4) ((t4) && ((const will_run_data_t *)(t4))->end)
#endif

/* A start (RUN_NOW) reads a node's sched_weight: Weight above its low byte,
 * which cons_tres keeps for itself, and below bit 40, from which flags outrank
 * any weight.  slurmctld sets it before each call. */
#define VOL_SCHED_WEIGHT_SHIFT 8
#define VOL_SCHED_WEIGHT_MASK  (UINT64_C(0xffffffff) << VOL_SCHED_WEIGHT_SHIFT)

/* A plan (WILL_RUN) makes sched_weight anew from weight since 23.11; before, it
 * read what the last start had left there. */
#if SLURM_VERSION_NUMBER < SLURM_VERSION_NUM(23, 11, 0)
#define VOL_PLANS_BY_WEIGHT 0
#else
#define VOL_PLANS_BY_WEIGHT 1
#endif

#endif
