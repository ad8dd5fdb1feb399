/* SPDX-License-Identifier: GPL-2.0-or-later */
/* open_deleted.c - open a deleted file that a program of the owner holds
 *
 * Wall: pid namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/fd/%lu", victim_pid(),
		 victim_number("open_fd"));
	judge_file(path);
}
