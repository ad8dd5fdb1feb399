/* SPDX-License-Identifier: GPL-2.0-or-later */
/* configuration.c - read how the cluster is set up
 *
 * Wall: mount namespace
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	const char *path = victim("slurm_conf");

	if (open(path, O_RDONLY | O_CLOEXEC) < 0)
		blocked("open %s", path);
	reached("%s", path);
}
