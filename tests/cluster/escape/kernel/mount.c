/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mount.c - mount something
 *
 * Wall: seccomp, no capabilities
 * Bare: capable
 */
#include "../attempt.h"

#include <sys/mount.h>

int main(void)
{
	char folder[] = "/tmp/mount-XXXXXX";
	int error;

	if (!mkdtemp(folder))
		cannot("make a folder");
	error = mount("none", folder, "tmpfs", 0, NULL) ? errno : 0;
	if (!error)
		umount2(folder, MNT_DETACH);
	rmdir(folder);
	errno = error;
	if (error)
		blocked("mount");
	reached("a mount");
}
