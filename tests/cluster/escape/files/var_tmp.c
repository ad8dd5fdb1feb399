/* SPDX-License-Identifier: GPL-2.0-or-later */
/* var_tmp.c - read a file of the owner in /var/tmp
 *
 * Wall: mount namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	judge_file(victim("var_tmp_file"));
}
