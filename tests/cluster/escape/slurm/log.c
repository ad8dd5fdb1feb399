/* SPDX-License-Identifier: GPL-2.0-or-later */
/* log.c - read what slurmd logs of other people's jobs
 *
 * Wall: mount namespace, no capabilities
 * Bare: capable
 */
#include "../attempt.h"

int main(void)
{
	const char *path = victim("slurmd_log");

	if (open(path, O_RDONLY | O_CLOEXEC) < 0)
		blocked("open %s", path);
	reached("%s", path);
}
