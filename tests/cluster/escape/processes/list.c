/* SPDX-License-Identifier: GPL-2.0-or-later */
/* list.c - list the owner's programs
 *
 * Wall: pid namespace
 * Bare: user
 */
#include "../attempt.h"

#include <dirent.h>

int main(void)
{
	const char *name = victim("comm");
	const struct dirent *entry;
	char path[300], comm[64];
	DIR *folder = opendir("/proc");
	FILE *file;

	if (!folder)
		blocked("open /proc");
	while ((entry = readdir(folder))) {
		snprintf(path, sizeof(path), "/proc/%s/comm", entry->d_name);
		file = fopen(path, "re");
		if (!file)
			continue;
		if (fgets(comm, sizeof(comm), file) &&
		    !strncmp(comm, name, strlen(name)))
			reached("%s runs as %s", name, entry->d_name);
		fclose(file);
	}
	errno = 0;
	blocked("no \"%s\" in /proc", name);
}
