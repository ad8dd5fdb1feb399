/* SPDX-License-Identifier: GPL-2.0-or-later */
/* read_memory.c - read the memory of a program of the owner
 *
 * Wall: pid namespace
 * Bare: user
 * Needs: kernel.yama.ptrace_scope=0
 */
#include "../attempt.h"

#include <sys/uio.h>

int main(void)
{
	char data[256];
	struct iovec here = {data, sizeof(data)};
	struct iovec there = {(void *)victim_number("memory"), sizeof(data)};
	ssize_t len = process_vm_readv(victim_pid(), &here, 1, &there, 1, 0);

	if (len < 0)
		blocked("process_vm_readv");
	errno = 0;
	if (!has_secret(data, len))
		blocked("the secret is not there");
	reached("memory is read");
}
