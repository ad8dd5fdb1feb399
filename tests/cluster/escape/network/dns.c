/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dns.c - ask the name server that the machine asks
 *
 * Wall: network namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	/* The address of "controller". */
	static const uint8_t question[] = "\x12\x34\x01\0\0\x01\0\0\0\0\0\0"
					  "\x0a"
					  "controller\0\0\x01\0\x01";
	int fd = connect_inet(victim("name_server"), 53, SOCK_DGRAM);
	struct pollfd wait = {.fd = fd, .events = POLLIN};
	uint8_t answer[512];

	if (write(fd, question, sizeof(question) - 1) < 0)
		blocked("ask");
	errno = ETIMEDOUT;
	if (poll(&wait, 1, PATIENCE_S * 1000) <= 0)
		blocked("no answer");
	if (read(fd, answer, sizeof(answer)) < 12)
		blocked("hear");
	reached("the name server answers");
}
