/* SPDX-License-Identifier: GPL-2.0-or-later */
/* io_priority.c - put a program of the owner last at the disk
 *
 * Wall: pid namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	const int of_process = 1, idle = 3 << 13;

	if (syscall(SYS_ioprio_set, of_process, victim_pid(), idle))
		blocked("ioprio_set");
	reached("the owner's program waits for the disk");
}
