/* SPDX-License-Identifier: GPL-2.0-or-later */
/* take_descriptor.c - take an open file out of a program of the owner
 *
 * Wall: pid namespace
 * Bare: user
 * Needs: kernel.yama.ptrace_scope=0
 */
#include "../attempt.h"

int main(void)
{
	int fd = syscall(SYS_pidfd_open, victim_pid(), 0);
	int secret;

	if (fd < 0)
		blocked("pidfd_open");
	secret = syscall(SYS_pidfd_getfd, fd, victim_number("open_fd"), 0);
	if (secret < 0)
		blocked("pidfd_getfd");
	lseek(secret, 0, SEEK_SET);
	judge_fd(secret, "a file that the owner's program has open");
}
