/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unmount.c - unmount what lies over something else
 *
 * Wall: seccomp, no capabilities
 * Bare: capable
 */
#include "../attempt.h"

#include <sched.h>
#include <sys/mount.h>

int main(void)
{
	/* Of a copy of all mounts where we may have one, else of the job's. */
	if (unshare(CLONE_NEWNS) == 0)
		mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
	if (umount2("/dev/shm", MNT_DETACH))
		blocked("umount");
	reached("/dev/shm is off");
}
