/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dev_shm.c - read shared memory of the other job by its file
 *
 * Wall: mount namespace
 * Bare: user
 * Where: beside
 */
#include "../attempt.h"

int main(void)
{
	judge_file("/dev/shm/neighbour");
}
