/* SPDX-License-Identifier: GPL-2.0-or-later */
/* abstract_socket.c - leave an abstract socket under the name of a bus
 *
 * Wall: network namespace, cgroup.kill
 * Bare: user
 * Look: device
 */
#include "../attempt.h"

int main(int argc, char *argv[])
{
	static const char name[] = "\0/tmp/dbus-stranger";
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	socklen_t len =
		offsetof(struct sockaddr_un, sun_path) + sizeof(name) - 1;
	int fd;

	if (is_look(argc, argv)) {
		connect_unix("@/tmp/dbus-stranger");
		reached("somebody plays the bus");
	}
	memcpy(address.sun_path, name, sizeof(name) - 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(fd, (struct sockaddr *)&address, len) || listen(fd, 8))
		blocked("listen");
	if (fork())
		planted("a bus");
	setsid();
	signal(SIGTERM, SIG_IGN);
	for (int other = 0; other < 16; other++)
		if (other != fd)
			close(other);
	alarm(300);
	pause();
	return 0;
}
