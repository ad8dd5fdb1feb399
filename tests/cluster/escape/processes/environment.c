/* SPDX-License-Identifier: GPL-2.0-or-later */
/* environment.c - read the environment of a program of the owner
 *
 * Wall: pid namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/environ", victim_pid());
	judge_file(path);
}
