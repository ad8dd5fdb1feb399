/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unix_path.c - talk to a program of the owner over a socket in his session
 *
 * Wall: mount namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	judge_fd(connect_unix(victim("unix")), "the owner's socket");
}
