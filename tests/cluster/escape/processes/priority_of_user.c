/* SPDX-License-Identifier: GPL-2.0-or-later */
/* priority_of_user.c - make all programs of the owner slow, by his uid
 *
 * Wall: user namespace, pid namespace
 * Bare: user
 * Look: device
 */
#include "../attempt.h"

#include <sys/resource.h>

int main(int argc, char *argv[])
{
	if (is_look(argc, argv)) {
		errno = 0;
		if (getpriority(PRIO_PROCESS, victim_pid()) == 17)
			reached("the owner's program is nice");
		blocked("the owner's program is as it was");
	}
	/* 0: the caller's own uid, which is the owner's. */
	if (setpriority(PRIO_USER, 0, 17))
		blocked("setpriority");
	planted("all programs of this uid are nice");
}
