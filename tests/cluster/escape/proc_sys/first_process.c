/* SPDX-License-Identifier: GPL-2.0-or-later */
/* first_process.c - go into the file system of the machine's init
 *
 * Wall: pid namespace, no capabilities
 * Bare: capable
 */
#include "../attempt.h"

int main(void)
{
	judge_file(path_of("/proc/1/root", home_of_owner("secret")));
}
