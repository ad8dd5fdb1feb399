/* SPDX-License-Identifier: GPL-2.0-or-later */
/* signal_pidfd.c - send a signal through a pidfd
 *
 * Wall: pid namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	int fd = syscall(SYS_pidfd_open, victim_pid(), 0);

	if (fd < 0)
		blocked("pidfd_open");
	if (syscall(SYS_pidfd_send_signal, fd, SIGUSR1, NULL, 0))
		blocked("pidfd_send_signal");
	reached("the owner's program got it");
}
