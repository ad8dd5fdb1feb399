/* SPDX-License-Identifier: GPL-2.0-or-later */
/* header.h - the #SBATCH lines at the top of a batch script */
#ifndef VB_HEADER_H
#define VB_HEADER_H

#include <stddef.h>

#include "args.h"
#include "error.h"
#include "options.h"

struct vb_header {
	/* The lines that sbatch would act upon, unchanged, in order, each with
	 * its line break: #SBATCH and #SLURM above the first command, #PBS and
	 * #BSUB as far down as sbatch looks for them. */
	char *lines;
	size_t size;
	struct vb_seen seen; /* of the #SBATCH and #SLURM lines */
	char **words;        /* what seen points into */
	size_t words_count;
};

/* Read the header of a script.  On error *h needs no freeing. */
int vb_header_read(struct vb_header *h, const char *text, size_t size,
		   vb_unknown_f unknown, void *arg, struct vol_error *err);
void vb_header_free(struct vb_header *h);

#endif
