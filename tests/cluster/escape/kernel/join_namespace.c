/* SPDX-License-Identifier: GPL-2.0-or-later */
/* join_namespace.c - join the mount namespace of the machine
 *
 * Wall: pid namespace, seccomp, no capabilities
 * Bare: capable
 */
#include "../attempt.h"

#include <sched.h>

int main(void)
{
	int fd;

	fd = open("/proc/1/ns/mnt", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		blocked("open /proc/1/ns/mnt");
	if (setns(fd, CLONE_NEWNS))
		blocked("setns");
	reached("joined");
}
