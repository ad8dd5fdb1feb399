/* SPDX-License-Identifier: GPL-2.0-or-later */
/* list_owner.c - list the processes of the owner's session
 *
 * Wall: mount namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	const char *path = path_of(victim("cgroup"), "cgroup.procs");
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char text[4096];

	if (fd < 0)
		blocked("open %s", path);
	if (read(fd, text, sizeof(text)) <= 0)
		blocked("read %s", path);
	reached("%s", path);
}
