/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plan.h - cut a matrix into job arrays
 *
 * One array at a time, so that a million points need no more memory than a
 * thousand.
 */
#ifndef VB_PLAN_H
#define VB_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "limits.h"
#include "script.h"

/* slurmctld takes 4 KiB of index list (array_inx), the %N in it. */
#define VB_INDEXES_SIZE 4096

struct vb_array {
	uint64_t base;  /* point of index 0 */
	uint64_t span;  /* points from there, excluded ones counted */
	uint64_t tasks; /* points from there that run */
	char indexes[VB_INDEXES_SIZE]; /* "0-3,5-9%4" */
	char *script;
	size_t script_size;
};

/* The next array at or behind point from: as large as the limits allow.
 * at_once > 0 becomes its %N.  1: *array is filled in, caller frees
 * array->script; 0: no point is left; -1: a single point does not fit. */
int vb_plan_next(const struct vb_job *job, const struct vb_limits *limits,
		 uint64_t from, uint64_t at_once, struct vb_array *array,
		 struct vol_error *err);

#endif
