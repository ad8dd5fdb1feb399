/* SPDX-License-Identifier: GPL-2.0-or-later */
/* limits.c - set the limits of a program of the owner
 *
 * Wall: pid namespace
 * Bare: user
 */
#include "../attempt.h"

#include <sys/resource.h>

int main(void)
{
	struct rlimit limit;

	if (prlimit(victim_pid(), RLIMIT_CPU, NULL, &limit))
		blocked("read the limits");
	if (prlimit(victim_pid(), RLIMIT_CPU, &limit, NULL))
		blocked("set the limits");
	reached("limits are set");
}
