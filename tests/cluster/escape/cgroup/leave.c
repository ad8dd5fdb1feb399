/* SPDX-License-Identifier: GPL-2.0-or-later */
/* leave.c - leave our own cgroup, and with it the freezer and all limits
 *
 * Wall: no capabilities, mount namespace
 * Bare: capable
 */
#include "../attempt.h"

int main(void)
{
	const char *path = path_of(victim("cgroup"), "cgroup.procs");
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		blocked("open %s", path);
	if (write(fd, "0", 1) != 1)
		blocked("write %s", path);
	reached("we are where the owner is");
}
