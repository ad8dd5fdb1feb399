/* SPDX-License-Identifier: GPL-2.0-or-later */
/* terminal_input_high.c - the same with bits that the kernel throws away
 *
 * Wall: seccomp
 * Bare: user
 * Needs: dev.tty.legacy_tiocsti=1
 */
#include "../attempt.h"

#include <sys/ioctl.h>

int main(void)
{
	int master = posix_openpt(O_RDWR | O_CLOEXEC);
	int slave;

	if (master < 0 || grantpt(master) || unlockpt(master))
		cannot("make a terminal");
	setsid();
	slave = open(ptsname(master), O_RDWR | O_CLOEXEC);
	if (slave < 0 || ioctl(slave, TIOCSCTTY, 0))
		cannot("take the terminal");
	if (syscall(SYS_ioctl, slave, TIOCSTI | 1L << 32, "x"))
		blocked("TIOCSTI");
	reached("typed");
}
