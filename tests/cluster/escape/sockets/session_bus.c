/* SPDX-License-Identifier: GPL-2.0-or-later */
/* session_bus.c - log in to the owner's session bus
 *
 * Wall: mount namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	static const char hello[] = "\0AUTH EXTERNAL 31303030\r\n";
	int fd = connect_unix(victim("bus"));

	/* It may have answered and gone before it has heard us. */
	if (send(fd, hello, sizeof(hello) - 1, MSG_NOSIGNAL) < 0 &&
	    errno != EPIPE)
		blocked("greet the bus");
	judge_fd(fd, "the owner's bus");
}
