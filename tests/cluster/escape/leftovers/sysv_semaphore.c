/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sysv_semaphore.c - leave semaphores (System V)
 *
 * Wall: ipc namespace
 * Bare: user
 * Look: device
 */
#include "../attempt.h"

#include <sys/sem.h>

int main(int argc, char *argv[])
{
	const key_t key = 0x57a4;

	if (is_look(argc, argv)) {
		if (semget(key, 0, 0) < 0)
			blocked("semget");
		reached("they are there");
	}
	if (semget(key, 16, IPC_CREAT | 0666) < 0)
		blocked("semget");
	planted("16 semaphores");
}
