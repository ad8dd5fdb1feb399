/* SPDX-License-Identifier: GPL-2.0-or-later */
/* device.c - open a device of the owner
 *
 * Wall: own /dev
 * Bare: user
 */
#include "../attempt.h"

int main(void)
{
	const char *path = victim("device");

	if (open(path, O_RDONLY | O_CLOEXEC) < 0)
		blocked("open %s", path);
	reached("%s", path);
}
