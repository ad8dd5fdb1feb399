/* SPDX-License-Identifier: GPL-2.0-or-later */
/* spool.c - look into the folder where slurmd keeps jobs
 *
 * Wall: mount namespace
 * Bare: user
 */
#include "../attempt.h"

#include <dirent.h>

int main(void)
{
	/* Not the folder: the job's own script may be shown below it. */
	const char *path = path_of(victim("spool"), "conf-cache");

	if (!opendir(path))
		blocked("open %s", path);
	reached("%s", path);
}
