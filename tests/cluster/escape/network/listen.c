/* SPDX-License-Identifier: GPL-2.0-or-later */
/* listen.c - offer a service to the LAN
 *
 * Wall: network namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	struct sockaddr_in address = inet_address(victim("address"), 0);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		blocked("make a socket");
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(fd, 1))
		blocked("listen on %s", victim("address"));
	reached("%s is open to the LAN", victim("address"));
}
