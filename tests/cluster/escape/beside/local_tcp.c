/* SPDX-License-Identifier: GPL-2.0-or-later */
/* local_tcp.c - talk to the other job on localhost
 *
 * Wall: network namespace
 * Bare: user
 * Where: beside
 */
#include "../attempt.h"

int main(void)
{
	judge_fd(connect_inet("127.0.0.1", 4817, SOCK_STREAM),
		 "the other's port");
}
