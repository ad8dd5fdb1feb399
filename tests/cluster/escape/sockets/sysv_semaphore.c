/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sysv_semaphore.c - take a semaphore (System V) of the owner
 *
 * Wall: ipc namespace
 * Bare: user
 */
#include "../attempt.h"

#include <sys/sem.h>

int main(void)
{
	int id = semget(victim_number("sysv_key"), 0, 0);
	struct sembuf take = {.sem_op = -1, .sem_flg = IPC_NOWAIT};

	if (id < 0)
		blocked("semget");
	if (semop(id, &take, 1))
		blocked("semop");
	reached("the owner's semaphore is down");
}
