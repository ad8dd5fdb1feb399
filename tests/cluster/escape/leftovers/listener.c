/* SPDX-License-Identifier: GPL-2.0-or-later */
/* listener.c - leave a process that listens on a port of localhost
 *
 * Wall: pid namespace, cgroup.kill
 * Bare: user
 * Look: device
 */
#include "../attempt.h"

int main(int argc, char *argv[])
{
	struct sockaddr_in address = inet_address("127.0.0.1", 4799);
	int fd;

	if (is_look(argc, argv)) {
		connect_inet("127.0.0.1", 4799, SOCK_STREAM);
		reached("somebody listens");
	}
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(fd, 8))
		blocked("listen");
	if (fork())
		planted("a listener");
	setsid();
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	for (int other = 0; other < 16; other++)
		if (other != fd)
			close(other);
	alarm(300);
	pause();
	return 0;
}
