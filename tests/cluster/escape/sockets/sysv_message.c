/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sysv_message.c - take a message (System V) from the owner's queue
 *
 * Wall: ipc namespace
 * Bare: user
 */
#include "../attempt.h"

#include <sys/msg.h>

int main(void)
{
	int id = msgget(victim_number("sysv_key"), 0);
	struct {
		long type;
		char text[256];
	} message;
	ssize_t len;

	if (id < 0)
		blocked("msgget");
	len = msgrcv(id, &message, sizeof(message.text), 0, IPC_NOWAIT);
	if (len < 0)
		blocked("msgrcv");
	errno = 0;
	if (!has_secret(message.text, len))
		blocked("the secret is not there");
	reached("the owner's message");
}
