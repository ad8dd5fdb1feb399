/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trace.c - trace the other job as a debugger does
 *
 * Wall: pid namespace, user namespace
 * Bare: user
 * Needs: kernel.yama.ptrace_scope=0
 * Where: beside
 * Note: a uid's own processes only
 */
#include "../attempt.h"

#include <sys/ptrace.h>

int main(void)
{
	pid_t pid = victim_number("neighbour_pid");
	int status;

	if (ptrace(PTRACE_ATTACH, pid, NULL, NULL))
		blocked("ptrace");
	waitpid(pid, &status, __WALL);
	ptrace(PTRACE_DETACH, pid, NULL, NULL);
	reached("the other job was held");
}
