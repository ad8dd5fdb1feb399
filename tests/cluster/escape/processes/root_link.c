/* SPDX-License-Identifier: GPL-2.0-or-later */
/* root_link.c - go into the file system that the owner's program sees
 *
 * Wall: pid namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	char path[512];

	snprintf(path, sizeof(path), "/proc/%d/root%s", victim_pid(),
		 home_of_owner("secret"));
	judge_file(path);
}
