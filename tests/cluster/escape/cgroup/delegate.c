/* SPDX-License-Identifier: GPL-2.0-or-later */
/* delegate.c - make a cgroup of our own
 *
 * Wall: mount namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	const char *folder = path_of(victim("cgroup"), "more-strangers");

	if (mkdir(folder, 0755))
		blocked("make %s", folder);
	rmdir(folder);
	reached("%s", folder);
}
