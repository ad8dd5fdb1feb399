/* SPDX-License-Identifier: GPL-2.0-or-later */
/* posix_message.c - leave a queue (POSIX)
 *
 * Wall: ipc namespace
 * Bare: user
 * Look: device
 */
#include "../attempt.h"

#include <mqueue.h>

int main(int argc, char *argv[])
{
	if (is_look(argc, argv)) {
		if (mq_open("/stranger", O_RDONLY) < 0)
			blocked("mq_open");
		reached("it is there");
	}
	if (mq_open("/stranger", O_RDWR | O_CREAT, 0666, NULL) < 0)
		blocked("mq_open");
	planted("a queue");
}
