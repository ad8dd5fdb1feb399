/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mounts.c - see which disks the owner has mounted
 *
 * Wall: mount namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	char text[1 << 18];
	int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	ssize_t len, sum = 0;

	if (fd < 0)
		blocked("open /proc/self/mountinfo");
	while ((len = read(fd, text + sum, sizeof(text) - sum)) > 0)
		sum += len;
	errno = 0;
	if (!memmem(text, sum, victim("mount"), strlen(victim("mount"))))
		blocked("no disk of the owner in /proc/self/mountinfo");
	reached("/proc/self/mountinfo tells");
}
