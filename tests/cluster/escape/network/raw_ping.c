/* SPDX-License-Identifier: GPL-2.0-or-later */
/* raw_ping.c - ask the gateway for an echo through a raw socket
 *
 * Wall: no capabilities, network namespace
 * Bare: capable
 */
#include "../attempt.h"

int main(void)
{
	/* Its checksum: of type 8 alone. */
	const uint8_t echo_request[8] = {8, 0, 0xf7, 0xff};
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);
	struct sockaddr_in to = inet_address(victim("gateway"), 0);
	struct pollfd wait = {.fd = fd, .events = POLLIN};

	if (fd < 0)
		blocked("make a raw socket");
	if (sendto(fd, echo_request, sizeof(echo_request), 0,
		   (struct sockaddr *)&to, sizeof(to)) < 0)
		blocked("send to the gateway");
	errno = ETIMEDOUT;
	if (poll(&wait, 1, PATIENCE_S * 1000) <= 0)
		blocked("no answer");
	reached("the gateway answers");
}
