/* SPDX-License-Identifier: GPL-2.0-or-later */
/* neighbour.c - the other job of the device, open to everybody by its modes
 *
 * neighbour SECRET SOCKET KEY   says "ready" when all of it is there, and goes
 *                               on; SOCKET is to be in a working folder, KEY is
 *                               the name of a key
 */
#include "serve.h"

#define PORT     4817
#define SYSV_KEY 0x4e16

static void hold_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, secret, strlen(secret)) < 0)
		fail(path);
}

static void ignore(int number)
{
	(void)number;
}

int main(int argc, char *argv[])
{
	if (argc != 4) {
		fprintf(stderr, "usage: neighbour SECRET SOCKET KEY\n");
		return 2;
	}
	secret = argv[1];
	signal(SIGUSR1, ignore);
	hold_file("/tmp/neighbour");
	hold_file("/dev/shm/neighbour");
	serve_unix("/tmp/neighbour.socket", 0777);
	serve_unix(argv[2], 0777);
	serve_unix("@neighbour", 0);
	serve_inet("tcp", PORT, SOCK_STREAM);
	hold_sysv_memory(SYSV_KEY, 0666);
	/* Inside the walls there are no keys to be had. */
	if (syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_USER_KEYRING,
		    1) >= 0)
		hold_key(argv[3]);
	printf("ready\n");
	fflush(stdout);
	serve();
}
