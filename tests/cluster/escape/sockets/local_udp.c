/* SPDX-License-Identifier: GPL-2.0-or-later */
/* local_udp.c - talk to a program of the owner on localhost by datagrams
 *
 * Wall: network namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	int fd = connect_inet("127.0.0.1", victim_number("udp_port"),
			      SOCK_DGRAM);

	if (write(fd, "hello", 5) != 5)
		blocked("send");
	judge_fd(fd, "the owner's port");
}
