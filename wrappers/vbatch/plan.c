/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plan.c - cut a matrix into job arrays */
#include "config.h"

#include "plan.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for one more ",4294967295-4294967295" and "%4294967295". */
#define INDEX_ROOM 40

static void add_run(struct vb_array *a, size_t *used, uint64_t first,
		    uint64_t last)
{
	int n = snprintf(a->indexes + *used, sizeof(a->indexes) - *used,
			 "%s%" PRIu64, *used ? "," : "", first);

	*used += (size_t)n;
	if (last == first)
		return;
	n = snprintf(a->indexes + *used, sizeof(a->indexes) - *used,
		     "-%" PRIu64, last);
	*used += (size_t)n;
}

/* Take points from a->base on: at most room points of the matrix, tasks of
 * them, and what fits into the index list. */
static void take_points(const struct vol_matrix *m, struct vb_array *a,
			uint64_t room, uint64_t tasks)
{
	uint64_t i = 0, end = vol_matrix_count(m) - a->base;
	size_t used = 0;

	if (end > room)
		end = room;
	a->span = 0;
	a->tasks = 0;
	while (i < end && a->tasks < tasks &&
	       used + INDEX_ROOM < sizeof(a->indexes)) {
		uint64_t first = i;

		while (i < end && a->tasks < tasks &&
		       !vol_matrix_excluded(m, a->base + i)) {
			a->tasks++;
			i++;
		}
		add_run(a, &used, first, i - 1);
		a->span = i;
		while (i < end && vol_matrix_excluded(m, a->base + i))
			i++;
	}
}

static int try_span(const struct vb_job *job, const struct vb_limits *limits,
		    uint64_t span, struct vb_array *a, struct vol_error *err)
{
	take_points(job->matrix, a, span, limits->array_tasks);
	return vb_script_generate(job, a->base, a->span, limits->script_size,
				  &a->script, &a->script_size, err);
}

/* The largest span whose script fits; a larger span never has a smaller
 * script, so halving finds it. */
static int fit_script(const struct vb_job *job, const struct vb_limits *limits,
		      struct vb_array *a, struct vol_error *err)
{
	uint64_t good = 0, bad = limits->array_size + 1;

	if (try_span(job, limits, limits->array_size, a, err) == 0)
		return 0;
	if (errno == EFBIG)
		bad = a->span;
	while (errno == EFBIG && bad - good > 1) {
		uint64_t middle = good + (bad - good) / 2;

		if (try_span(job, limits, middle, a, err) < 0) {
			bad = middle;
			continue;
		}
		free(a->script);
		good = middle;
		errno = EFBIG;
	}
	if (good == 0)
		return -1;
	return try_span(job, limits, good, a, err);
}

int vb_plan_next(const struct vb_job *job, const struct vb_limits *limits,
		 uint64_t from, uint64_t at_once, struct vb_array *array,
		 struct vol_error *err)
{
	uint64_t count = vol_matrix_count(job->matrix);
	size_t used;

	memset(array, 0, sizeof(*array));
	while (from < count && vol_matrix_excluded(job->matrix, from))
		from++;
	if (from >= count)
		return 0;
	array->base = from;
	if (fit_script(job, limits, array, err) < 0)
		return -1;
	if (at_once) {
		used = strlen(array->indexes);
		snprintf(array->indexes + used, sizeof(array->indexes) - used,
			 "%%%" PRIu64, at_once);
	}
	return 1;
}
