/* SPDX-License-Identifier: GPL-2.0-or-later */
/* autostart.c - leave a program that the owner's desktop starts
 *
 * Wall: mount namespace
 * Bare: user
 * Look: device
 */
#include "../attempt.h"

int main(int argc, char *argv[])
{
	const char *path = home_of_owner(".config/autostart/stranger.desktop");

	if (is_look(argc, argv)) {
		if (access(path, F_OK))
			blocked("%s", path);
		reached("%s is there", path);
	}
	if (open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644) < 0)
		blocked("open %s", path);
	planted("%s", path);
}
