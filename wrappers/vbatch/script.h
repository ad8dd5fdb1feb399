/* SPDX-License-Identifier: GPL-2.0-or-later */
/* script.h - the batch script that every task of an array runs
 *
 * It is: #!/bin/sh; the default job name and the user's own #SBATCH lines; a
 * block of POSIX shell that turns $SLURM_ARRAY_TASK_ID into the point's
 * variables; and, behind it, the user's script byte for byte.  The block puts
 * the user's script in the place of the generated one and becomes its
 * interpreter, so that the job sees what it would see without vbatch: the same
 * process, $0, standard input, signals and exit status.
 */
#ifndef VB_SCRIPT_H
#define VB_SCRIPT_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "header.h"
#include "matrix.h"
#include "source.h"

/* What all arrays of a submission have in common; everything is borrowed. */
struct vb_job {
	const struct vol_matrix *matrix;
	const struct vb_source *source;
	const struct vb_header *header;
	char **args; /* of the user's script */
	size_t args_count;
};

/* Generate the script for the points base .. base + span - 1, which are the
 * array indexes 0 .. span - 1.  Caller frees *text.  -1 and EFBIG if it would
 * be larger than max bytes. */
int vb_script_generate(const struct vb_job *job, uint64_t base, uint64_t span,
		       size_t max, char **text, size_t *size,
		       struct vol_error *err);

#endif
