/* SPDX-License-Identifier: GPL-2.0-or-later */
/* core_pattern.c - set the program that the kernel runs as root for cores
 *
 * Wall: own /proc without the machine's tables, no capabilities
 * Bare: capable
 * Note: it is set to what it is
 */
#include "../attempt.h"

int main(void)
{
	const char *path = "/proc/sys/kernel/core_pattern";
	char pattern[256];
	ssize_t len;
	int fd;

	/* It is root's.  Who can not become root may try as he is. */
	if (setresuid(0, 0, 0))
		errno = 0;
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		blocked("open %s", path);
	len = read(fd, pattern, sizeof(pattern));
	if (len <= 0)
		cannot("read %s", path);
	if (pwrite(fd, pattern, len, 0) != len)
		blocked("write %s", path);
	reached("%s", path);
}
