/* SPDX-License-Identifier: GPL-2.0-or-later */
/* internal.h - shared by the files of slurm/ only */
#ifndef VOL_SLURM_INTERNAL_H
#define VOL_SLURM_INTERNAL_H

#include <stddef.h>

/* 26.05 names jobs by a structure unless it is asked for numbers too. */
#define SLURM_BACKWARD_COMPAT
#include <slurm/slurm.h>

#include "cluster.h"

/* Turn libslurm's errno into ours and fill err: "what: slurm's words".
 * Always returns -1. */
int vol_slurm_fail(struct vol_error *err, const char *what, const char *name);

/* One record of libslurm in our words. */
void vol_slurm_node_convert(const node_info_t *info,
			    struct vol_slurm_node *node);

enum vol_job_state vol_slurm_job_state(uint32_t state);

/* "IDLE+DRAIN+NOT_RESPONDING" into buf. */
void vol_slurm_state_text(uint32_t state, char *buf, size_t size);

#endif
