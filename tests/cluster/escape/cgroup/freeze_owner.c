/* SPDX-License-Identifier: GPL-2.0-or-later */
/* freeze_owner.c - freeze the owner's session
 *
 * Wall: mount namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	const char *path = path_of(victim("cgroup"), "cgroup.freeze");
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		blocked("open %s", path);
	if (write(fd, "1", 1) != 1)
		blocked("write %s", path);
	if (write(fd, "0", 1) != 1)
		cannot("thaw");
	reached("the owner's session stood still");
}
