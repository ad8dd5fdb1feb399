/* SPDX-License-Identifier: GPL-2.0-or-later */
/* userfaultfd.c - stop the kernel in the middle of a copy
 *
 * Wall: seccomp
 * Bare: user
 * Needs: CONFIG_USERFAULTFD, Linux 5.11
 */
#include "../attempt.h"

#include <linux/userfaultfd.h>

int main(void)
{
	if (syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY) < 0)
		blocked("userfaultfd");
	reached("a userfaultfd");
}
