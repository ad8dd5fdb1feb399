/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unix_abstract.c - talk to the other job over an abstract socket
 *
 * Wall: network namespace
 * Bare: user
 * Where: beside
 */
#include "../attempt.h"

int main(void)
{
	judge_fd(connect_unix("@neighbour"), "the other's abstract socket");
}
