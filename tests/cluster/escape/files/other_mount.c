/* SPDX-License-Identifier: GPL-2.0-or-later */
/* other_mount.c - read a disk of the owner that is mounted elsewhere
 *
 * Wall: mount namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	judge_file(victim("mount_file"));
}
