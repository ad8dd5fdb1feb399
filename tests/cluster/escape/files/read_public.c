/* SPDX-License-Identifier: GPL-2.0-or-later */
/* read_public.c - read a file of the owner's home that all may read
 *
 * Wall: mount namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	judge_file(home_of_owner("notes"));
}
