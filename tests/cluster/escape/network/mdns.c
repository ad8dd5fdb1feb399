/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mdns.c - ask by mDNS who is in the LAN
 *
 * Wall: network namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	/* Who is _slurm-volctl._tcp.local?  Please answer to me alone. */
	static const uint8_t question[] = "\0\0\0\0\0\x01\0\0\0\0\0\0"
					  "\x0d_slurm-volctl\x04_tcp"
					  "\x05local\0\0\x0c\x80\x01";
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in to = inet_address("224.0.0.251", 5353);
	struct pollfd wait = {.fd = fd, .events = POLLIN};

	if (fd < 0)
		blocked("make a socket");
	if (sendto(fd, question, sizeof(question) - 1, 0,
		   (struct sockaddr *)&to, sizeof(to)) < 0)
		blocked("ask");
	errno = ETIMEDOUT;
	if (poll(&wait, 1, PATIENCE_S * 1000) <= 0)
		blocked("no answer");
	reached("the LAN answers");
}
