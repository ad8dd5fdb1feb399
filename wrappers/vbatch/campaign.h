/* SPDX-License-Identifier: GPL-2.0-or-later */
/* campaign.h - submit a whole matrix, or say what would be submitted */
#ifndef VB_CAMPAIGN_H
#define VB_CAMPAIGN_H

#include "args.h"
#include "error.h"
#include "limits.h"
#include "script.h"

/* Submit every point at or behind args->first.  Returns the exit status of
 * vbatch; what went wrong with an array has been printed.  -1 and err: nothing
 * was submitted. */
int vb_campaign_submit(const struct vb_args *args, const struct vb_job *job,
		       const struct vb_limits *limits, struct vol_error *err);

/* Print the plan to stderr and become sbatch --test-only for the first array.
 * Returns only on failure, always -1. */
int vb_campaign_test(const struct vb_args *args, const struct vb_job *job,
		     const struct vb_limits *limits, struct vol_error *err);

/* Print args->list points to stdout, one a line. */
void vb_campaign_list(const struct vb_args *args, const struct vol_matrix *m);

#endif
