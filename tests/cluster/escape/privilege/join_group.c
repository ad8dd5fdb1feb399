/* SPDX-License-Identifier: GPL-2.0-or-later */
/* join_group.c - become a member of another group
 *
 * Wall: no capabilities
 * Bare: capable
 */
#include "../attempt.h"

#include <grp.h>

int main(void)
{
	const gid_t root = 0;

	if (setgroups(1, &root))
		blocked("setgroups");
	reached("the group of root");
}
