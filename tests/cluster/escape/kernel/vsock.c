/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vsock.c - talk to the machine below, or to a virtual machine of the owner
 *
 * Wall: seccomp
 * Bare: user
 * Needs: CONFIG_VSOCKETS
 */
#include "../attempt.h"

int main(void)
{
	if (socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0) < 0)
		blocked("make a socket");
	reached("a vsock socket");
}
