/* SPDX-License-Identifier: GPL-2.0-or-later */
/* make_device.c - make a device file of the machine's disk
 *
 * Wall: no capabilities
 * Bare: capable
 */
#include "../attempt.h"

#include <sys/sysmacros.h>

int main(void)
{
	const char *path = "/tmp/disk-of-owner";

	unlink(path);
	if (mknod(path, S_IFBLK | 0600, makedev(254, 0)))
		blocked("mknod");
	unlink(path);
	reached("%s", path);
}
