/* SPDX-License-Identifier: GPL-2.0-or-later */
/* log.c - read a log that the owner's programs write
 *
 * Wall: mount namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	judge_file(victim("log_file"));
}
