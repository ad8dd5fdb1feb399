/* SPDX-License-Identifier: GPL-2.0-or-later */
/* load.h - when programs other than jobs are busy
 *
 * Judged by windows between two looks.  Two in a row above the limit are a
 * claim, two in a row below two thirds of it end it: a single burst, or a
 * pause for breath, is neither.
 */
#ifndef VOL_LOAD_H
#define VOL_LOAD_H

#include <stdbool.h>
#include <stdint.h>

struct vol_load {
	uint64_t at_us; /* of the last look; 0 = none yet */
	int64_t used_us;
	unsigned above, below; /* windows in a row */
	bool claims;
};

/* used_us: CPU time that all but jobs have used so far; it may fall when jobs
 * come into sight.  A window that is too short is waited for, one that is too
 * long says nothing.  Returns claims. */
bool vol_load_look(struct vol_load *l, uint64_t at_us, int64_t used_us,
		   unsigned cpus, unsigned max_pct);

/* CPU time of this machine (or this container) without that of jobs_cgroup
 * ("" = no jobs), in microseconds; root as in struct vol_sensor_host.  -1 with
 * errno when no file tells. */
int vol_load_used(const char *root, const char *jobs_cgroup, int64_t *used_us);

#endif
