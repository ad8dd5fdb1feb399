/* SPDX-License-Identifier: GPL-2.0-or-later */
/* broadcast.c - speak to all machines of the LAN at once
 *
 * Wall: network namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	int on = 1, fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in to = inet_address(victim("broadcast"), 9);

	if (fd < 0)
		blocked("make a socket");
	setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on));
	if (sendto(fd, "hello", 5, 0, (struct sockaddr *)&to, sizeof(to)) < 0)
		blocked("send");
	reached("all of the LAN can hear it");
}
