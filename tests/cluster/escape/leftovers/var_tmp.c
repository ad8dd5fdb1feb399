/* SPDX-License-Identifier: GPL-2.0-or-later */
/* var_tmp.c - leave a file in /var/tmp, where it survives a reboot
 *
 * Wall: mount namespace
 * Bare: user
 * Look: device
 */
#include "../attempt.h"

int main(int argc, char *argv[])
{
	const char *path = "/var/tmp/.left-by-stranger";

	if (is_look(argc, argv)) {
		if (access(path, F_OK))
			blocked("%s", path);
		reached("%s is there", path);
	}
	if (open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644) < 0)
		blocked("open %s", path);
	planted("%s", path);
}
