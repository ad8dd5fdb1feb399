/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hardware_address.c - read the address that the machine has in its LAN
 *
 * Wall: own /sys, network namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	char path[128], text[64] = "";
	int fd;

	snprintf(path, sizeof(path), "/sys/class/net/%s/address",
		 victim("interface"));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		blocked("read %s", path);
	reached("%.17s", text);
}
