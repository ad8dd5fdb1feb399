/* SPDX-License-Identifier: GPL-2.0-or-later */
/* posix_message.c - take a message (POSIX) from the owner's queue
 *
 * Wall: ipc namespace
 * Bare: user
 */
#include "../attempt.h"

#include <mqueue.h>

int main(void)
{
	char text[8192];
	mqd_t queue = mq_open(victim("mqueue"), O_RDONLY | O_NONBLOCK);
	ssize_t len;

	if (queue < 0)
		blocked("mq_open");
	len = mq_receive(queue, text, sizeof(text), NULL);
	if (len < 0)
		blocked("mq_receive");
	errno = 0;
	if (!has_secret(text, len))
		blocked("the secret is not there");
	reached("the owner's message");
}
