/* SPDX-License-Identifier: GPL-2.0-or-later */
/* affinity.c - send a program of the owner to one CPU
 *
 * Wall: pid namespace
 * Bare: user
 */
#include "../attempt.h"

#include <sched.h>

int main(void)
{
	cpu_set_t cpus;

	if (sched_getaffinity(victim_pid(), sizeof(cpus), &cpus))
		blocked("sched_getaffinity");
	if (sched_setaffinity(victim_pid(), sizeof(cpus), &cpus))
		blocked("sched_setaffinity");
	reached("the owner's program goes where it is told");
}
