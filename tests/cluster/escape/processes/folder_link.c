/* SPDX-License-Identifier: GPL-2.0-or-later */
/* folder_link.c - go into the folder that the owner's program is in
 *
 * Wall: pid namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/cwd/secret", victim_pid());
	judge_file(path);
}
