/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fanotify.c - watch whole file systems
 *
 * Wall: seccomp
 * Bare: user
 * Needs: CONFIG_FANOTIFY, Linux 5.13
 */
#include "../attempt.h"

#include <sys/fanotify.h>

int main(void)
{
	if (fanotify_init(FAN_CLOEXEC | FAN_CLASS_NOTIF | FAN_REPORT_FID,
			  O_RDONLY) < 0)
		blocked("fanotify_init");
	reached("a watcher");
}
