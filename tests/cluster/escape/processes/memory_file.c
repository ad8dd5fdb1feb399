/* SPDX-License-Identifier: GPL-2.0-or-later */
/* memory_file.c - read memory of a program of the owner through /proc
 *
 * Wall: pid namespace
 * Bare: user
 * Needs: kernel.yama.ptrace_scope=0
 */
#include "../attempt.h"

int main(void)
{
	char path[64], data[256];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", victim_pid());
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		blocked("open %s", path);
	len = pread(fd, data, sizeof(data), victim_number("memory"));
	if (len < 0)
		blocked("read %s", path);
	errno = 0;
	if (!has_secret(data, len))
		blocked("the secret is not there");
	reached("memory is read");
}
