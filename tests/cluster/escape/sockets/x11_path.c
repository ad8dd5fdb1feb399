/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x11_path.c - talk to the owner's display
 *
 * Wall: mount namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	judge_fd(connect_unix(victim("x11")), "the owner's display");
}
