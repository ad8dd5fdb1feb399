/* SPDX-License-Identifier: GPL-2.0-or-later */
/* configure.c - change a setting of the machine's network interface
 *
 * Wall: network namespace, no capabilities
 * Bare: capable
 * Note: it is set to what it is
 */
#include "../attempt.h"

#include <net/if.h>
#include <sys/ioctl.h>

int main(void)
{
	struct ifreq request = {0};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		blocked("make a socket");
	strncpy(request.ifr_name, victim("interface"), IFNAMSIZ - 1);
	if (ioctl(fd, SIOCGIFMTU, &request) || ioctl(fd, SIOCSIFMTU, &request))
		blocked("%s", request.ifr_name);
	reached("%s is ours", request.ifr_name);
}
