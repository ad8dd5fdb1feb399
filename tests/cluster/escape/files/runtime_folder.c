/* SPDX-License-Identifier: GPL-2.0-or-later */
/* runtime_folder.c - read a file of the owner's session in /run/user
 *
 * Wall: mount namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	judge_file(victim("runtime_file"));
}
