/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x32.c - make a user namespace through the entry of x32 programs
 *
 * Wall: seccomp
 * Bare: user
 * Needs: CONFIG_X86_X32_ABI and user namespaces for everybody
 */
#include "../attempt.h"

#include <sched.h>

#define X32_BIT 0x40000000L

int main(void)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(syscall(SYS_unshare | X32_BIT, CLONE_NEWUSER) ? errno
								    : 0);
	status = child_status(pid);
	errno = 0;
	if (WIFSIGNALED(status))
		blocked("killed by signal %d", WTERMSIG(status));
	errno = WEXITSTATUS(status);
	if (errno)
		blocked("unshare");
	reached("a user namespace");
}
