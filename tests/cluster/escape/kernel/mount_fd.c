/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mount_fd.c - mount something by the new calls
 *
 * Wall: seccomp, no capabilities
 * Bare: capable
 */
#include "../attempt.h"

#include <linux/mount.h>

int main(void)
{
	int fd = syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC);

	if (fd < 0)
		blocked("fsopen");
	if (syscall(SYS_fsconfig, fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		blocked("fsconfig");
	if (syscall(SYS_fsmount, fd, FSMOUNT_CLOEXEC, 0) < 0)
		blocked("fsmount");
	reached("a mount without a place");
}
