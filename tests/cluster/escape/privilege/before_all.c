/* SPDX-License-Identifier: GPL-2.0-or-later */
/* before_all.c - go before everybody at the CPU
 *
 * Wall: no capabilities
 * Bare: capable
 */
#include "../attempt.h"

#include <sys/resource.h>

int main(void)
{
	if (setpriority(PRIO_PROCESS, 0, -20))
		blocked("setpriority");
	reached("nice -20");
}
