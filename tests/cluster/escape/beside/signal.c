/* SPDX-License-Identifier: GPL-2.0-or-later */
/* signal.c - send a signal to the other job
 *
 * Wall: pid namespace, user namespace
 * Bare: user
 * Where: beside
 * Note: a uid's own processes only
 */
#include "../attempt.h"

int main(void)
{
	if (kill(victim_number("neighbour_pid"), SIGUSR1))
		blocked("kill");
	reached("the other job got it");
}
