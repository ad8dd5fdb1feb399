/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compare.c - ask the kernel whether two processes share a file
 *
 * Wall: pid namespace, seccomp
 * Bare: user
 * Needs: CONFIG_KCMP
 */
#include "../attempt.h"

int main(void)
{
	const int kcmp_file = 0;

	if (syscall(SYS_kcmp, getpid(), victim_pid(), kcmp_file, 1,
		    victim_number("open_fd")) < 0)
		blocked("kcmp");
	reached("descriptors are compared");
}
