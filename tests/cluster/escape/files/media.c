/* SPDX-License-Identifier: GPL-2.0-or-later */
/* media.c - read what is on the owner's stick
 *
 * Wall: mount namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	judge_file(victim("media_file"));
}
