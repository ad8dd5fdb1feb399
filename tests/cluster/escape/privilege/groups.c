/* SPDX-License-Identifier: GPL-2.0-or-later */
/* groups.c - read what a group of the owner may read
 *
 * Wall: no supplementary groups
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	judge_file(victim("group_file"));
}
