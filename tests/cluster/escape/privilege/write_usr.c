/* SPDX-License-Identifier: GPL-2.0-or-later */
/* write_usr.c - change a program that the machine runs
 *
 * Wall: read-only system
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	judge_append(victim("usr_file"), 0);
}
