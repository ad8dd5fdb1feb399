/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ports.c - speak to the hardware
 *
 * Wall: no capabilities, seccomp
 * Bare: capable
 * Needs: CONFIG_X86_IOPL_IOPERM and CAP_SYS_RAWIO in the test bed
 */
#include "../attempt.h"

#include <sys/io.h>

int main(void)
{
	/* The port that PCs use for nothing but to wait. */
	if (ioperm(0x80, 1, 1))
		blocked("ioperm");
	reached("port 0x80");
}
