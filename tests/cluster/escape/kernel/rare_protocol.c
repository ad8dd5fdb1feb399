/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rare_protocol.c - make a socket of a protocol that nobody uses
 *
 * Wall: seccomp
 * Bare: capable
 * Needs: CONFIG_XDP_SOCKETS
 */
#include "../attempt.h"

int main(void)
{
	if (socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0) < 0)
		blocked("make a socket");
	reached("an AF_XDP socket");
}
