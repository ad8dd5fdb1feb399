/* SPDX-License-Identifier: GPL-2.0-or-later */
/* module.c - load a module into the kernel
 *
 * Wall: no capabilities, seccomp
 * Bare: capable
 * Needs: CONFIG_MODULES and CAP_SYS_MODULE in the test bed
 */
#include "../attempt.h"

int main(void)
{
	/* Whoever may hears that this is no module. */
	if (syscall(SYS_init_module, "", 0, "") && errno != ENOEXEC)
		blocked("init_module");
	reached("we may");
}
