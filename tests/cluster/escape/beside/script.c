/* SPDX-License-Identifier: GPL-2.0-or-later */
/* script.c - read the script of the other job
 *
 * Wall: mount namespace
 * Bare: user
 * Where: beside
 * Note: a uid's own scripts only
 */
#include "../attempt.h"

int main(void)
{
	judge_file(victim("neighbour_script"));
}
