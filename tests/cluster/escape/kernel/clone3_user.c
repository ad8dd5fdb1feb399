/* SPDX-License-Identifier: GPL-2.0-or-later */
/* clone3_user.c - start a process in a user namespace, by clone3
 *
 * Wall: seccomp
 * Bare: user
 * Needs: user namespaces for everybody (not so by default in some
 *       distributions)
 */
#include "../attempt.h"

#include <sched.h>
#include <linux/sched.h>

int main(void)
{
	struct clone_args args = {.flags = CLONE_NEWUSER,
				  .exit_signal = SIGCHLD};
	pid_t pid = syscall(SYS_clone3, &args, sizeof(args));

	if (!pid)
		_exit(0);
	if (pid < 0)
		blocked("clone3");
	reached("a process in a user namespace");
}
