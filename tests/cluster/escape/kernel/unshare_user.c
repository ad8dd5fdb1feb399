/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unshare_user.c - make a user namespace, in which we would be root
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
	if (unshare(CLONE_NEWUSER))
		blocked("unshare");
	reached("a user namespace");
}
