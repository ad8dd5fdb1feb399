/* SPDX-License-Identifier: GPL-2.0-or-later */
/* crontab.c - leave a line in the owner's crontab
 *
 * Wall: mount namespace
 * Bare: user
 * Note: the victim's spool folders are open to him, in place of the setgid
 *       crontab(1) and at(1)
 * Look: device
 */
#include "../attempt.h"

int main(int argc, char *argv[])
{
	const char *path = path_of(victim("crontabs"), "stranger");

	if (is_look(argc, argv)) {
		if (access(path, F_OK))
			blocked("%s", path);
		reached("%s is there", path);
	}
	if (open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) < 0)
		blocked("open %s", path);
	planted("%s", path);
}
