/* SPDX-License-Identifier: GPL-2.0-or-later */
/* append_profile.c - put a line into the shell profile of the owner
 *
 * Wall: mount namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	judge_append(home_of_owner(".bashrc"), 0);
}
