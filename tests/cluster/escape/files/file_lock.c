/* SPDX-License-Identifier: GPL-2.0-or-later */
/* file_lock.c - lock a file so that the owner's programs wait for us
 *
 * Wall: mount namespace
 * Bare: user
 */
#include "../attempt.h"

#include <sys/file.h>

int main(void)
{
	const char *path = home_of_owner("notes");
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		blocked("open %s", path);
	if (flock(fd, LOCK_EX | LOCK_NB))
		blocked("lock %s", path);
	reached("%s is locked", path);
}
