/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kexec.c - load another kernel
 *
 * Wall: no capabilities, seccomp
 * Bare: capable
 * Needs: CONFIG_KEXEC and CAP_SYS_BOOT in the test bed
 */
#include "../attempt.h"

int main(void)
{
	const unsigned long no_such_flag = 0x8000;

	/* Whoever may hears that this flag is wrong. */
	if (syscall(SYS_kexec_load, 0, 0, NULL, no_such_flag) &&
	    errno != EINVAL)
		blocked("kexec_load");
	reached("we may");
}
