/* SPDX-License-Identifier: GPL-2.0-or-later */
/* watch.c - watch what the owner does in his home
 *
 * Wall: mount namespace
 * Bare: user
 */
#include "../attempt.h"

#include <sys/inotify.h>

int main(void)
{
	const char *home = victim("home");
	int fd = inotify_init1(IN_CLOEXEC);

	if (fd < 0)
		cannot("inotify");
	if (inotify_add_watch(fd, home, IN_ALL_EVENTS) < 0)
		blocked("watch %s", home);
	reached("%s is watched", home);
}
