/* SPDX-License-Identifier: GPL-2.0-or-later */
/* munge_key.c - read the cluster's key
 *
 * Wall: mount namespace, no capabilities
 * Bare: capable
 */
#include "../attempt.h"

int main(void)
{
	if (open("/etc/munge/munge.key", O_RDONLY | O_CLOEXEC) < 0)
		blocked("open the key");
	reached("the key of the cluster");
}
