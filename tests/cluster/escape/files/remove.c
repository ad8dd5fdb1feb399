/* SPDX-License-Identifier: GPL-2.0-or-later */
/* remove.c - remove a file of the owner
 *
 * Wall: mount namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	const char *path = home_of_owner("to-remove");

	if (unlink(path))
		blocked("unlink %s", path);
	reached("%s is gone", path);
}
