/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mount.c - mount the tree of cgroups
 *
 * Wall: seccomp, no capabilities
 * Bare: capable
 */
#include "../attempt.h"

#include <sys/mount.h>

int main(void)
{
	char folder[] = "/tmp/cgroup-XXXXXX";
	int error;

	if (!mkdtemp(folder))
		cannot("make a folder");
	error = mount("cgroup2", folder, "cgroup2", 0, NULL) ? errno : 0;
	if (!error)
		umount2(folder, MNT_DETACH);
	rmdir(folder);
	errno = error;
	if (error)
		blocked("mount");
	reached("the tree of cgroups");
}
