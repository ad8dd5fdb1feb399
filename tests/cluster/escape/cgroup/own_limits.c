/* SPDX-License-Identifier: GPL-2.0-or-later */
/* own_limits.c - write the limits of our own cgroup
 *
 * Wall: no capabilities, mount namespace
 * Bare: capable
 */
#include "../attempt.h"

int main(void)
{
	char line[4096], path[4600];
	FILE *file = fopen("/proc/self/cgroup", "re");
	int fd = -1;

	if (!file)
		blocked("open /proc/self/cgroup");
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, "0::", 3))
			continue;
		/* A limit that every cgroup has. */
		snprintf(path, sizeof(path),
			 "/sys/fs/cgroup%s/cgroup.max.descendants", line + 3);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd < 0)
			blocked("open %s", path);
	}
	if (fd < 0)
		cannot("find our cgroup");
	if (write(fd, "max", 3) != 3)
		blocked("write %s", path);
	reached("%s", path);
}
