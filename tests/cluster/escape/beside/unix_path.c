/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unix_path.c - talk to the other job over a socket in /tmp
 *
 * Wall: mount namespace
 * Bare: user
 * Where: beside
 */
#include "../attempt.h"

int main(void)
{
	judge_fd(connect_unix("/tmp/neighbour.socket"), "the other's socket");
}
