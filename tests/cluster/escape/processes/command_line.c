/* SPDX-License-Identifier: GPL-2.0-or-later */
/* command_line.c - read what a program of the owner was started with
 *
 * Wall: pid namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/cmdline", victim_pid());
	judge_file(path);
}
