/* SPDX-License-Identifier: GPL-2.0-or-later */
/* chroot.c - go into another root
 *
 * Wall: no capabilities, seccomp
 * Bare: capable
 */
#include "../attempt.h"

int main(void)
{
	if (chroot("/tmp"))
		blocked("chroot");
	reached("a root of our own");
}
