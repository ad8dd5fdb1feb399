/* SPDX-License-Identifier: GPL-2.0-or-later */
/* step_socket.c - talk to the slurmstepd of the other job
 *
 * Wall: mount namespace
 * Bare: user
 * Where: beside
 */
#include "../attempt.h"

int main(void)
{
	connect_unix(victim("neighbour_stepd"));
	reached("slurmstepd listens to us");
}
