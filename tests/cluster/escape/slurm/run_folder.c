/* SPDX-License-Identifier: GPL-2.0-or-later */
/* run_folder.c - see what discoveryd and slurmstepd tell each other
 *
 * Wall: mount namespace
 * Bare: user
 */
#include "../attempt.h"

#include <dirent.h>

int main(void)
{
	const char *path = victim("run_folder");

	if (!opendir(path))
		blocked("open %s", path);
	reached("%s", path);
}
