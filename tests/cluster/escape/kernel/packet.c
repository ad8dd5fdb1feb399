/* SPDX-License-Identifier: GPL-2.0-or-later */
/* packet.c - read every packet of the LAN
 *
 * Wall: no capabilities, seccomp
 * Bare: capable
 */
#include "../attempt.h"

int main(void)
{
	/* ETH_P_ALL */
	if (socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(3)) < 0)
		blocked("make a packet socket");
	reached("a packet socket");
}
