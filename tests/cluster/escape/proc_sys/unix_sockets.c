/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unix_sockets.c - see which sockets the owner's programs listen on
 *
 * Wall: network namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	char text[1 << 20];
	int fd = open("/proc/net/unix", O_RDONLY | O_CLOEXEC);
	ssize_t len, sum = 0;

	if (fd < 0)
		blocked("open /proc/net/unix");
	while ((len = read(fd, text + sum, sizeof(text) - sum)) > 0)
		sum += len;
	errno = 0;
	if (!memmem(text, sum, victim("abstract"), strlen(victim("abstract"))))
		blocked("no socket of the owner in /proc/net/unix");
	reached("/proc/net/unix tells");
}
