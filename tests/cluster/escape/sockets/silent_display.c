/* SPDX-License-Identifier: GPL-2.0-or-later */
/* silent_display.c - play a display that never answers, so that daemons of
 * the machine wait for it
 *
 * Wall: network namespace
 * Bare: user
 * Look: device
 */
#include "../attempt.h"

/* Of :0 to :9, which hwloc asks for GPUs, the one that nobody has. */
#define DISPLAY "/tmp/.X11-unix/X9"

int main(int argc, char *argv[])
{
	static const char name[] = "\0" DISPLAY;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	socklen_t len =
		offsetof(struct sockaddr_un, sun_path) + sizeof(name) - 1;
	struct ucred peer;
	int fd;

	if (is_look(argc, argv)) {
		socklen_t size = sizeof(peer);

		fd = connect_unix("@" DISPLAY);
		/* Or it stops whoever comes after us. */
		if (!getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size))
			kill(peer.pid, SIGKILL);
		reached("a stranger plays a display");
	}
	memcpy(address.sun_path, name, sizeof(name) - 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(fd, (struct sockaddr *)&address, len) || listen(fd, 8))
		blocked("listen");
	if (fork())
		planted("a display");
	setsid();
	listen(fd, 8); /* so that the peer is this process */
	for (int other = 0; other < 16; other++)
		if (other != fd)
			close(other);
	alarm(300);
	pause();
	return 0;
}
