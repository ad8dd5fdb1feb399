/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sysv_message.c - leave a queue (System V)
 *
 * Wall: ipc namespace
 * Bare: user
 * Look: device
 */
#include "../attempt.h"

#include <sys/msg.h>

int main(int argc, char *argv[])
{
	const key_t key = 0x57a4;

	if (is_look(argc, argv)) {
		if (msgget(key, 0) < 0)
			blocked("msgget");
		reached("it is there");
	}
	if (msgget(key, IPC_CREAT | 0666) < 0)
		blocked("msgget");
	planted("a queue");
}
