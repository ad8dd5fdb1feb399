/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plant_command.c - put a program where the owner's shell finds it
 *
 * Wall: mount namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	judge_append(home_of_owner(".local/bin/sudo"), O_CREAT);
}
