/* SPDX-License-Identifier: GPL-2.0-or-later */
/* userns_packet.c - get at raw packets, as root of a user namespace
 *
 * Wall: seccomp
 * Bare: user
 * Needs: user namespaces for everybody (not so by default in some
 *       distributions)
 */
#include "../attempt.h"

#include <sched.h>

int main(void)
{
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
		blocked("unshare");
	if (socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0) < 0)
		blocked("make a packet socket");
	reached("a packet socket");
}
