/* SPDX-License-Identifier: GPL-2.0-or-later */
/* priority.c - make a program of the owner slow
 *
 * Wall: pid namespace
 * Bare: user
 */
#include "../attempt.h"

#include <sys/resource.h>

int main(void)
{
	if (setpriority(PRIO_PROCESS, victim_pid(), 5))
		blocked("setpriority");
	reached("the owner's program is nice");
}
