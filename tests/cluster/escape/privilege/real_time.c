/* SPDX-License-Identifier: GPL-2.0-or-later */
/* real_time.c - have the CPU until we give it back
 *
 * Wall: no capabilities
 * Bare: capable
 * Needs: a cgroup with real time (no CONFIG_RT_GROUP_SCHED)
 */
#include "../attempt.h"

#include <sched.h>

int main(void)
{
	struct sched_param param = {.sched_priority = 1};

	if (sched_setscheduler(0, SCHED_FIFO, &param))
		blocked("sched_setscheduler");
	reached("real time");
}
