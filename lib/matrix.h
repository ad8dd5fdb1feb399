/* SPDX-License-Identifier: GPL-2.0-or-later */
/* matrix.h - parameter matrices without expanding them
 *
 * A matrix is a list of axes.  Its points are numbered 0 .. count-1 in
 * row-major order (the last axis runs fastest), or, zipped, by position.
 * A range axis costs O(1) memory; a list or file axis holds its values once.
 *
 * Axis syntax:  NAME=v1,v2,...   NAME=lo..hi[:step]   NAME=@file
 * NAME is a C identifier, not one that would change how a job runs (PATH,
 * HOME, IFS, SHELL, USER, TMPDIR, LD_*, SLURM_*, SBATCH_*, VBATCH_*, ...).
 * lo, hi, step are decimals ("1..10", "0.5..2:0.25", "10..1:-3"); the values
 * are computed exactly, in units of the last decimal given, and printed with
 * as many decimals.  A file holds one value a line; empty lines and lines
 * that begin with '#' are skipped.  Values hold no control characters.
 */
#ifndef VOL_MATRIX_H
#define VOL_MATRIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

#define VOL_MATRIX_AXES       32
#define VOL_MATRIX_VALUE_SIZE 1024

struct vol_matrix;

struct vol_matrix *vol_matrix_create(void);
void vol_matrix_destroy(struct vol_matrix *m);

/* Add one axis from its text.  Errors name the axis and, for files, the line.
 */
int vol_matrix_add(struct vol_matrix *m, const char *spec,
		   struct vol_error *err);

/* Points side by side instead of all combinations; all axes must then have
 * the same length, which vol_matrix_finish checks. */
void vol_matrix_set_zip(struct vol_matrix *m, bool zip);

/* Leave out points.  spec: "NAME=value[,NAME=value...]": every point where all
 * named axes have these values.  Repeatable; call after all axes are added. */
int vol_matrix_exclude(struct vol_matrix *m, const char *spec,
		       struct vol_error *err);

/* Check the whole and count the points before excludes: EINVAL (no axis, zip
 * of unequal lengths), EOVERFLOW above 2^32 points. */
int vol_matrix_finish(struct vol_matrix *m, struct vol_error *err);

size_t vol_matrix_axes(const struct vol_matrix *m);
const char *vol_matrix_name(const struct vol_matrix *m, size_t axis);
uint64_t vol_matrix_count(const struct vol_matrix *m);

/* How an axis is laid out, for a generator that renders it elsewhere: the
 * value index of point p on the axis is (p / stride) % length. */
uint64_t vol_matrix_length(const struct vol_matrix *m, size_t axis);
uint64_t vol_matrix_stride(const struct vol_matrix *m, size_t axis);

/* Is the axis lo + step * index over integers?  Then the three are set. */
bool vol_matrix_is_integer_range(const struct vol_matrix *m, size_t axis,
				 int64_t *lo, int64_t *step);

/* index-th value of an axis, NUL-terminated into buf. */
int vol_matrix_value(const struct vol_matrix *m, size_t axis, uint64_t index,
		     char *buf, size_t size);

/* Is this point left out? O(number of excludes). */
bool vol_matrix_excluded(const struct vol_matrix *m, uint64_t point);

#endif
