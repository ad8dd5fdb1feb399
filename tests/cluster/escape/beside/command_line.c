/* SPDX-License-Identifier: GPL-2.0-or-later */
/* command_line.c - read what the other job's program was started with
 *
 * Wall: pid namespace
 * Bare: user
 * Where: beside
 */
#include "../attempt.h"

#include <dirent.h>

int main(void)
{
	DIR *folder = opendir("/proc");
	const struct dirent *entry;
	char path[300], text[4096];

	if (!folder)
		blocked("open /proc");
	while ((entry = readdir(folder))) {
		ssize_t len = -1;
		int fd;

		snprintf(path, sizeof(path), "/proc/%s/cmdline", entry->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0) {
			len = read(fd, text, sizeof(text));
			close(fd);
		}
		if (len > 0 && has_secret(text, len))
			reached("%s", path);
	}
	errno = 0;
	blocked("no such program in /proc");
}
