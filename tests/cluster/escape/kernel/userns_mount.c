/* SPDX-License-Identifier: GPL-2.0-or-later */
/* userns_mount.c - mount something, as root of a user namespace
 *
 * Wall: seccomp
 * Bare: user
 * Needs: user namespaces for everybody (not so by default in some
 *       distributions)
 */
#include "../attempt.h"

#include <sched.h>
#include <sys/mount.h>

int main(void)
{
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
		blocked("unshare");
	if (mount("none", "/tmp", "tmpfs", 0, NULL))
		blocked("mount");
	reached("a mount of our own");
}
