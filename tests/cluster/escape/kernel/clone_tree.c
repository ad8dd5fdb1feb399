/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clone_tree.c - take a copy of a mounted tree
 *
 * Wall: seccomp, no capabilities
 * Bare: capable
 */
#include "../attempt.h"

#include <linux/mount.h>

int main(void)
{
	if (syscall(SYS_open_tree, AT_FDCWD, "/",
		    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC) < 0)
		blocked("open_tree");
	reached("a copy of /");
}
