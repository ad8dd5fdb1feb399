/* SPDX-License-Identifier: GPL-2.0-or-later */
/* writable_again.c - make a read-only mount writable
 *
 * Wall: seccomp, no capabilities
 * Bare: capable
 */
#include "../attempt.h"

#include <linux/mount.h>

int main(void)
{
	struct mount_attr writable = {.attr_clr = MOUNT_ATTR_RDONLY};

	if (syscall(SYS_mount_setattr, AT_FDCWD, "/", 0, &writable,
		    sizeof(writable)))
		blocked("mount_setattr");
	reached("/ is writable");
}
