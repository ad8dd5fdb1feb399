/* SPDX-License-Identifier: GPL-2.0-or-later */
/* line_discipline.c - have the kernel drive a terminal of ours by a rarely
 * used, and so rarely checked, module
 *
 * Wall: seccomp
 * Bare: user
 */
#include "../attempt.h"

#include <linux/tty.h>
#include <sys/ioctl.h>

#ifndef N_NULL
#define N_NULL 27 /* in every kernel; others are modules */
#endif

int main(void)
{
	const int discipline = N_NULL;
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	int slave;

	if (master < 0 || grantpt(master) || unlockpt(master))
		cannot("make a terminal");
	slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		cannot("open the terminal");
	if (syscall(SYS_ioctl, slave, TIOCSETD | 1L << 32, &discipline))
		blocked("TIOCSETD");
	reached("another line discipline");
}
