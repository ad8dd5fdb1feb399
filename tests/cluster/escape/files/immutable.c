/* SPDX-License-Identifier: GPL-2.0-or-later */
/* immutable.c - make a file that nobody can delete
 *
 * Wall: no capabilities
 * Bare: capable
 * Needs: a file system below /campaign that has flags
 */
#include "../attempt.h"

#include <linux/fs.h>
#include <sys/ioctl.h>

int main(void)
{
	/* Beside the list of victims: a working folder. */
	char path[4096];
	int fd, flags;

	snprintf(path, sizeof(path), "%s-XXXXXX", getenv("ESCAPE_VICTIMS"));
	fd = mkstemp(path);
	if (fd < 0)
		cannot("make %s", path);
	if (ioctl(fd, FS_IOC_GETFLAGS, &flags)) {
		unlink(path);
		blocked("ask for flags");
	}
	flags |= FS_IMMUTABLE_FL;
	if (ioctl(fd, FS_IOC_SETFLAGS, &flags)) {
		unlink(path);
		blocked("set the flag");
	}
	flags &= ~FS_IMMUTABLE_FL;
	ioctl(fd, FS_IOC_SETFLAGS, &flags);
	unlink(path);
	reached("%s was to stay", path);
}
