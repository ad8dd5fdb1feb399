/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ping_gateway.c - ask the gateway of the LAN for an echo
 *
 * Wall: network namespace
 * Bare: user
 * Needs: net.ipv4.ping_group_range with the owner's group
 */
#include "../attempt.h"

int main(void)
{
	const uint8_t echo_request[8] = {8};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_ICMP);
	struct sockaddr_in to = inet_address(victim("gateway"), 0);
	struct pollfd wait = {.fd = fd, .events = POLLIN};

	if (fd < 0)
		blocked("make an ICMP socket");
	if (sendto(fd, echo_request, sizeof(echo_request), 0,
		   (struct sockaddr *)&to, sizeof(to)) < 0)
		blocked("send to the gateway");
	errno = ETIMEDOUT;
	if (poll(&wait, 1, PATIENCE_S * 1000) <= 0)
		blocked("no answer");
	reached("the gateway answers");
}
