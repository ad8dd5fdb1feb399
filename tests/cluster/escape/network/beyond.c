/* SPDX-License-Identifier: GPL-2.0-or-later */
/* beyond.c - send a datagram to a machine beyond the gateway
 *
 * Wall: network namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	/* RFC 5737: nobody has it, but a machine with a gateway sends it. */
	int fd = connect_inet("198.51.100.1", 9, SOCK_DGRAM);

	if (write(fd, "hello", 5) != 5)
		blocked("send");
	reached("it is on its way");
}
