/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stop.c - stop a program of the owner
 *
 * Wall: pid namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	if (kill(victim_pid(), SIGSTOP))
		blocked("kill");
	kill(victim_pid(), SIGCONT);
	reached("the owner's program stood still");
}
