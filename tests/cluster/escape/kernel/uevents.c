/* SPDX-License-Identifier: GPL-2.0-or-later */
/* uevents.c - hear what is plugged in and out
 *
 * Wall: seccomp, network namespace
 * Bare: user
 */
#include "../attempt.h"

#include <linux/netlink.h>

int main(void)
{
	struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = 1};
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC,
			NETLINK_KOBJECT_UEVENT);

	if (fd < 0)
		blocked("make a socket");
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)))
		blocked("listen to the kernel's events");
	reached("the kernel tells us");
}
