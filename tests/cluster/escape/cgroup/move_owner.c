/* SPDX-License-Identifier: GPL-2.0-or-later */
/* move_owner.c - move a program of the owner into another cgroup
 *
 * Wall: mount namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	const char *folder = path_of(victim("cgroup"), "strangers");
	const char *path = path_of(folder, "cgroup.procs");
	char pid[16];
	int fd;

	if (mkdir(folder, 0755) && errno != EEXIST)
		blocked("make %s", folder);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	snprintf(pid, sizeof(pid), "%d", victim_pid());
	if (fd < 0 || write(fd, pid, strlen(pid)) < 0)
		blocked("write %s", path);
	reached("the owner's program is in %s", folder);
}
