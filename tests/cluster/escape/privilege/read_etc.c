/* SPDX-License-Identifier: GPL-2.0-or-later */
/* read_etc.c - read a setting of the machine that programs do not need
 *
 * Wall: allow-list of /etc
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	judge_file(victim("etc_file"));
}
