/* SPDX-License-Identifier: GPL-2.0-or-later */
/* local_tcp_any.c - talk to a program of the owner on 0.0.0.0
 *
 * Wall: network namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	judge_fd(connect_inet("0.0.0.0", victim_number("tcp_port"),
			      SOCK_STREAM),
		 "the owner's port");
}
