/* SPDX-License-Identifier: GPL-2.0-or-later */
/* locks.c - see which files the owner's programs have locked
 *
 * Wall: pid namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	char line[512], inode[32];
	FILE *file = fopen("/proc/locks", "re");

	if (!file)
		blocked("open /proc/locks");
	snprintf(inode, sizeof(inode), ":%s ", victim("locked_inode"));
	while (fgets(line, sizeof(line), file))
		if (strstr(line, inode))
			reached("/proc/locks tells");
	errno = 0;
	blocked("no lock of the owner in /proc/locks");
}
