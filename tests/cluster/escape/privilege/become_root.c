/* SPDX-License-Identifier: GPL-2.0-or-later */
/* become_root.c - become root
 *
 * Wall: no capabilities
 * Bare: capable
 */
#include "../attempt.h"

int main(void)
{
	if (setresuid(0, 0, 0))
		blocked("setresuid");
	reached("root");
}
