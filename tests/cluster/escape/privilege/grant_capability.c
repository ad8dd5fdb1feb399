/* SPDX-License-Identifier: GPL-2.0-or-later */
/* grant_capability.c - leave a program that gives rights to who runs it
 *
 * Wall: no capabilities
 * Bare: capable
 */
#include "../attempt.h"

#include <linux/capability.h>
#include <sys/xattr.h>

int main(void)
{
	const struct vfs_cap_data data = {
		.magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE,
		.data[0].permitted = 1 << CAP_NET_RAW,
	};
	/* Beside the list of victims: a working folder. */
	char path[4096];
	int fd, error = 0;

	snprintf(path, sizeof(path), "%s-XXXXXX", getenv("ESCAPE_VICTIMS"));
	fd = mkstemp(path);
	if (fd < 0)
		cannot("make %s", path);
	if (fsetxattr(fd, "security.capability", &data, sizeof(data), 0))
		error = errno;
	unlink(path);
	errno = error;
	if (error)
		blocked("give it a capability");
	reached("%s", path);
}
