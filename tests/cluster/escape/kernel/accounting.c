/* SPDX-License-Identifier: GPL-2.0-or-later */
/* accounting.c - switch process accounting off
 *
 * Wall: no capabilities, seccomp
 * Bare: capable
 * Needs: CONFIG_BSD_PROCESS_ACCT
 */
#include "../attempt.h"

int main(void)
{
	if (syscall(SYS_acct, NULL))
		blocked("acct");
	reached("no accounting");
}
