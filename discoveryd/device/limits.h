/* SPDX-License-Identifier: GPL-2.0-or-later */
/* limits.h - what the container around this machine allows
 *
 * Only the limits at the root of the cgroup file systems that we see are read:
 * there they are a container's.  Those of our own service are not the jobs'.
 */
#ifndef VOL_LIMITS_H
#define VOL_LIMITS_H

#include <stdint.h>

struct vol_limits {
	uint64_t memory_bytes; /* UINT64_MAX = no limit */
	uint32_t cpus;         /* whole CPUs of quota, at least 1; 0 = none */
};

/* root: "" or a folder that stands for / (tests). */
void vol_limits_read(const char *root, struct vol_limits *limits);

#endif
