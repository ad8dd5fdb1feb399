/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sysv_memory.c - leave shared memory (System V)
 *
 * Wall: ipc namespace
 * Bare: user
 * Look: device
 */
#include "../attempt.h"

#include <sys/shm.h>

int main(int argc, char *argv[])
{
	const key_t key = 0x57a4;

	if (is_look(argc, argv)) {
		if (shmget(key, 0, 0) < 0)
			blocked("shmget");
		reached("it is there");
	}
	if (shmget(key, 1 << 20, IPC_CREAT | 0666) < 0)
		blocked("shmget");
	planted("1 MiB");
}
