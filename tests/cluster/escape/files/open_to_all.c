/* SPDX-License-Identifier: GPL-2.0-or-later */
/* open_to_all.c - let everybody read what is the owner's alone
 *
 * Wall: mount namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	const char *path = home_of_owner("to-open");

	if (chmod(path, 0666))
		blocked("chmod %s", path);
	reached("%s is open", path);
}
