/* SPDX-License-Identifier: GPL-2.0-or-later */
/* high_number.c - make a user namespace by a number with more bits than it
 * has
 *
 * Wall: seccomp
 * Bare: user
 * Needs: user namespaces for everybody (not so by default in some
 *       distributions)
 */
#include "../attempt.h"

#include <sched.h>

int main(void)
{
	if (syscall(SYS_unshare | 1L << 32, CLONE_NEWUSER))
		blocked("unshare");
	reached("a user namespace");
}
