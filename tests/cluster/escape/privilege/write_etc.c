/* SPDX-License-Identifier: GPL-2.0-or-later */
/* write_etc.c - change a setting of the machine
 *
 * Wall: read-only system
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	judge_append(victim("etc_file"), 0);
}
