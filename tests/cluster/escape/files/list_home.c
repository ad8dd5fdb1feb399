/* SPDX-License-Identifier: GPL-2.0-or-later */
/* list_home.c - list the owner's home
 *
 * Wall: mount namespace
 * Bare: user
 */
#include "../attempt.h"

#include <dirent.h>

int main(void)
{
	const char *home = victim("home");
	DIR *folder = opendir(home);
	const struct dirent *entry;

	if (!folder)
		blocked("open %s", home);
	while ((entry = readdir(folder)))
		if (!strcmp(entry->d_name, "notes"))
			reached("%s is listed", home);
	errno = 0;
	blocked("nothing of the owner in %s", home);
}
