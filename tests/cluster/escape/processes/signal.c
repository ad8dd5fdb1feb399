/* SPDX-License-Identifier: GPL-2.0-or-later */
/* signal.c - send a signal to a program of the owner
 *
 * Wall: pid namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	if (kill(victim_pid(), SIGUSR1))
		blocked("kill");
	reached("the owner's program got it");
}
