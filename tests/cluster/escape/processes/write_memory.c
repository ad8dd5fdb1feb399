/* SPDX-License-Identifier: GPL-2.0-or-later */
/* write_memory.c - write into the memory of a program of the owner
 *
 * Wall: pid namespace
 * Bare: user
 * Needs: kernel.yama.ptrace_scope=0
 */
#include "../attempt.h"

#include <sys/uio.h>

int main(void)
{
	char data[] = "stranger";
	struct iovec here = {data, sizeof(data)};
	struct iovec there = {(void *)victim_number("scratch"), sizeof(data)};

	if (process_vm_writev(victim_pid(), &here, 1, &there, 1, 0) < 0)
		blocked("process_vm_writev");
	reached("memory is written");
}
