/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segments.c - change the segment table of the processor
 *
 * Wall: seccomp
 * Bare: user
 * Needs: CONFIG_MODIFY_LDT_SYSCALL
 */
#include "../attempt.h"

#include <asm/ldt.h>

int main(void)
{
	struct user_desc segment = {.entry_number = 0,
				    .limit = 0xfffff,
				    .seg_32bit = 1,
				    .limit_in_pages = 1,
				    .useable = 1};
	const int write_ldt = 0x11;

	if (syscall(SYS_modify_ldt, write_ldt, &segment, sizeof(segment)))
		blocked("modify_ldt");
	reached("a segment");
}
