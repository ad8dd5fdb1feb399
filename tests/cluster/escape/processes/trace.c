/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trace.c - trace a program of the owner as a debugger does
 *
 * Wall: pid namespace
 * Bare: user
 * Needs: kernel.yama.ptrace_scope=0
 */
#include "../attempt.h"

#include <sys/ptrace.h>

int main(void)
{
	pid_t pid = victim_pid();
	int status;

	if (ptrace(PTRACE_ATTACH, pid, NULL, NULL))
		blocked("ptrace");
	waitpid(pid, &status, __WALL);
	ptrace(PTRACE_DETACH, pid, NULL, NULL);
	reached("the owner's program was held");
}
