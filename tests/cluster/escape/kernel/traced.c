/* SPDX-License-Identifier: GPL-2.0-or-later */
/* traced.c - let a tracer change a harmless call into another
 *
 * Wall: seccomp, which looks after the tracer
 * Bare: user
 * Needs: user namespaces for everybody (not so by default in some
 *       distributions)
 */
#include "../attempt.h"

#include <sched.h>
#include <sys/ptrace.h>
#include <sys/user.h>

#ifdef __x86_64__

static long traced_unshare(pid_t pid)
{
	struct user_regs_struct registers;

	waitpid(pid, NULL, 0);
	ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
	waitpid(pid, NULL, 0);
	if (ptrace(PTRACE_GETREGS, pid, NULL, &registers))
		cannot("see the registers");
	registers.orig_rax = SYS_unshare;
	registers.rdi = CLONE_NEWUSER;
	if (ptrace(PTRACE_SETREGS, pid, NULL, &registers))
		cannot("set the registers");
	ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
	waitpid(pid, NULL, 0);
	if (ptrace(PTRACE_GETREGS, pid, NULL, &registers))
		cannot("see the result");
	return registers.rax;
}

int main(void)
{
	pid_t pid = fork();
	long result;

	if (pid < 0)
		cannot("fork");
	if (!pid) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
			_exit(1);
		raise(SIGSTOP);
		syscall(SYS_getuid);
		_exit(0);
	}
	result = traced_unshare(pid);
	kill(pid, SIGKILL);
	errno = -result;
	if (result)
		blocked("unshare");
	reached("a user namespace");
}

#else

int main(void)
{
	errno = 0;
	cannot("this machine's registers are not known here");
}

#endif
