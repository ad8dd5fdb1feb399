/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sysv_memory.c - read shared memory (System V) of the other job
 *
 * Wall: ipc namespace
 * Bare: user
 * Where: beside
 */
#include "../attempt.h"

#include <sys/shm.h>

int main(void)
{
	int id = shmget(0x4e16, 0, 0);
	const void *memory;

	if (id < 0)
		blocked("shmget");
	memory = shmat(id, NULL, SHM_RDONLY);
	if (memory == (void *)-1)
		blocked("shmat");
	errno = 0;
	if (!has_secret(memory, 4096))
		blocked("the secret is not there");
	reached("the other's shared memory");
}
