/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dev_shm.c - read shared memory of the owner by its file
 *
 * Wall: mount namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	judge_file(victim("dev_shm_file"));
}
