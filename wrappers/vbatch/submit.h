/* SPDX-License-Identifier: GPL-2.0-or-later */
/* submit.h - hand one array to sbatch
 *
 * sbatch reads the script from its standard input and is told the indexes with
 * --array behind all of the user's options.
 */
#ifndef VB_SUBMIT_H
#define VB_SUBMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "args.h"
#include "error.h"
#include "plan.h"

/* A running or finished sbatch. */
struct vb_sbatch {
	pid_t pid;     /* 0: reaped */
	int out;       /* its standard output, -1: closed */
	bool accepted; /* it printed a line, or it left with 0 */
	uint64_t id;   /* of the job, 0: unknown */
	int status;    /* exit status or 128 + signal, once reaped */
};

/* Become sbatch for this array.  Returns only on failure, always -1. */
int vb_submit_exec(const struct vb_args *args, const struct vb_array *array,
		   struct vol_error *err);

/* Run sbatch for this array until it has printed the id of the job, or to its
 * end if wait is false.  What it prints is passed on.  dependency replaces the
 * user's if not NULL.  -1: it could not be run. */
int vb_submit(const struct vb_args *args, const struct vb_array *array,
	      const char *dependency, bool wait, struct vb_sbatch *sbatch,
	      struct vol_error *err);

/* Pass on the rest of what it prints and reap it. */
void vb_submit_reap(struct vb_sbatch *sbatch);

/* From now on Ctrl-C and the like do not end vbatch in the middle of an array:
 * the sbatch at work ends first, unless asked to stop twice. */
void vb_submit_catch_stop(void);

/* Was vbatch asked to stop? */
bool vb_submit_stopped(void);

/* From now on the first such request ends the sbatch being reaped. */
void vb_submit_stop_at_once(void);

#endif
