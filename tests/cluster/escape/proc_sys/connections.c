/* SPDX-License-Identifier: GPL-2.0-or-later */
/* connections.c - see which ports the owner's programs listen on
 *
 * Wall: network namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	char text[1 << 16], port[16];
	int fd = open("/proc/net/tcp", O_RDONLY | O_CLOEXEC);
	ssize_t len, sum = 0;

	if (fd < 0)
		blocked("open /proc/net/tcp");
	while ((len = read(fd, text + sum, sizeof(text) - sum)) > 0)
		sum += len;
	snprintf(port, sizeof(port), ":%04lX ", victim_number("tcp_port"));
	errno = 0;
	if (!memmem(text, sum, port, strlen(port)))
		blocked("no port of the owner in /proc/net/tcp");
	reached("/proc/net/tcp tells");
}
