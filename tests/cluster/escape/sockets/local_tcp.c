/* SPDX-License-Identifier: GPL-2.0-or-later */
/* local_tcp.c - talk to a program of the owner on localhost
 *
 * Wall: network namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	judge_fd(connect_inet("127.0.0.1", victim_number("tcp_port"),
			      SOCK_STREAM),
		 "the owner's port");
}
