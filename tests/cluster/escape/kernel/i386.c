/* SPDX-License-Identifier: GPL-2.0-or-later */
/* i386.c - make a user namespace through the entry of 32-bit programs
 *
 * Wall: seccomp
 * Bare: user
 * Needs: CONFIG_IA32_EMULATION and user namespaces for everybody
 */
#include "../attempt.h"

#include <sched.h>

#define I386_UNSHARE 310

int main(void)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		long result = -ENOSYS;

#ifdef __x86_64__
		__asm__ volatile("int $0x80"
				 : "=a"(result)
				 : "0"(I386_UNSHARE), "b"(CLONE_NEWUSER)
				 : "memory", "r8", "r9", "r10", "r11");
#endif
		_exit(-result);
	}
	status = child_status(pid);
	errno = 0;
	if (WIFSIGNALED(status))
		blocked("killed by signal %d", WTERMSIG(status));
	errno = WEXITSTATUS(status);
	if (errno)
		blocked("unshare");
	reached("a user namespace");
}
