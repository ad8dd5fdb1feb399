/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reboot.c - have the machine not obey Ctrl-Alt-Del
 *
 * Wall: no capabilities, seccomp
 * Bare: capable
 * Needs: CAP_SYS_BOOT in the test bed
 */
#include "../attempt.h"

#include <sys/reboot.h>

int main(void)
{
	/* Not the first thing that reboot(2) checks, so whoever may hears
	 * that this word is wrong. */
	if (syscall(SYS_reboot, 0xfee1dead, 672274793, 0x12345678, NULL) &&
	    errno != EINVAL)
		blocked("reboot");
	reached("we may");
}
