/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clone_user.c - start a process in a user namespace
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
	pid_t pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);

	if (!pid)
		_exit(0);
	if (pid < 0)
		blocked("clone");
	reached("a process in a user namespace");
}
