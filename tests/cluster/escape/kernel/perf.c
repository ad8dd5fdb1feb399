/* SPDX-License-Identifier: GPL-2.0-or-later */
/* perf.c - count what the processor does
 *
 * Wall: seccomp
 * Bare: user
 * Needs: kernel.perf_event_paranoid of 2 at most
 */
#include "../attempt.h"

#include <linux/perf_event.h>

int main(void)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE,
				       .size = sizeof(attr),
				       .config = PERF_COUNT_SW_TASK_CLOCK,
				       .exclude_kernel = 1,
				       .exclude_hv = 1};

	if (syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0) < 0)
		blocked("perf_event_open");
	reached("a counter");
}
