/* SPDX-License-Identifier: GPL-2.0-or-later */
/* limits.h - what the cluster says about job arrays */
#ifndef VB_LIMITS_H
#define VB_LIMITS_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

struct vb_limits {
	uint64_t array_size;  /* indexes are below this (MaxArraySize) */
	uint64_t array_tasks; /* tasks in one array */
	uint64_t jobs;        /* jobs the cluster keeps, each task is one */
	size_t script_size;   /* bytes (max_script_size) */
};

/* Read the answer of "scontrol show config"; of several clusters the smallest
 * limit counts, since sbatch chooses one of them. */
int vb_limits_parse(const char *config, struct vb_limits *limits,
		    struct vol_error *err);

/* Ask the cluster; clusters is the value of --clusters or NULL. */
int vb_limits_ask(const char *clusters, struct vb_limits *limits,
		  struct vol_error *err);

#endif
