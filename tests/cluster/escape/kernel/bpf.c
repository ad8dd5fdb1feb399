/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bpf.c - load something into the kernel's virtual machine
 *
 * Wall: seccomp, no capabilities
 * Bare: capable
 * Needs: CONFIG_BPF_SYSCALL
 */
#include "../attempt.h"

#include <linux/bpf.h>

int main(void)
{
	union bpf_attr attr = {.map_type = BPF_MAP_TYPE_ARRAY,
			       .key_size = 4,
			       .value_size = 8,
			       .max_entries = 1};

	if (syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr)) < 0)
		blocked("bpf");
	reached("a map");
}
