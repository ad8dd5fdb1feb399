/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tmp_file.c - read a file that the other job has in /tmp
 *
 * Wall: mount namespace
 * Bare: user
 * Where: beside
 */
#include "../attempt.h"

int main(void)
{
	judge_file("/tmp/neighbour");
}
