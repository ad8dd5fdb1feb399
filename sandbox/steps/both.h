/* SPDX-License-Identifier: GPL-2.0-or-later */
/* both.h - what a sandboxed srun and its session outside agree on, in numbers
 * of this machine: both ends run on it */
#ifndef VOL_STEPS_BOTH_H
#define VOL_STEPS_BOTH_H

#include <sys/resource.h>

#include "stepframe.h"

/* The limits that srun hands to a step. */
static const int vol_steps_limits[VOL_STEPFRAME_LIMITS] = {
	[VOL_STEPLIMIT_CPU] = RLIMIT_CPU,
	[VOL_STEPLIMIT_FSIZE] = RLIMIT_FSIZE,
	[VOL_STEPLIMIT_DATA] = RLIMIT_DATA,
	[VOL_STEPLIMIT_STACK] = RLIMIT_STACK,
	[VOL_STEPLIMIT_CORE] = RLIMIT_CORE,
	[VOL_STEPLIMIT_NOFILE] = RLIMIT_NOFILE,
	[VOL_STEPLIMIT_MEMLOCK] = RLIMIT_MEMLOCK,
	[VOL_STEPLIMIT_AS] = RLIMIT_AS,
};

#endif
