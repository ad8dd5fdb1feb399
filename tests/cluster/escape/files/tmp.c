/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tmp.c - read a file of the owner in /tmp
 *
 * Wall: mount namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	judge_file(victim("tmp_file"));
}
