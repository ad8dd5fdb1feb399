/* SPDX-License-Identifier: GPL-2.0-or-later */
/* helper.c - a program that says what it became; for setuid, setgid and file
 * capabilities
 *
 * helper grant FILE   as root: give FILE a capability of its own
 * helper forget NAME... take these keys out of the keyring of our uid, which
 *                     is the machine's and outlives containers
 */
#include "attempt.h"

#include <linux/capability.h>
#include <linux/keyctl.h>
#include <sys/xattr.h>

static int grant(const char *path)
{
	/* Permitted and effective: CAP_NET_RAW. */
	const struct vfs_cap_data data = {
		.magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE,
		.data[0].permitted = 1 << CAP_NET_RAW,
	};

	if (setxattr(path, "security.capability", &data, sizeof(data), 0)) {
		perror(path);
		return 1;
	}
	return 0;
}

static int forget(char *names[])
{
	for (; *names; names++) {
		long id = syscall(SYS_keyctl, KEYCTL_SEARCH,
				  KEY_SPEC_USER_KEYRING, "user", *names, 0);

		if (id > 0)
			syscall(SYS_keyctl, KEYCTL_UNLINK, id,
				KEY_SPEC_USER_KEYRING);
	}
	return 0;
}

int main(int argc, char *argv[])
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	if (argc == 3 && !strcmp(argv[1], "grant"))
		return grant(argv[2]);
	if (argc > 2 && !strcmp(argv[1], "forget"))
		return forget(argv + 2);
	if (syscall(SYS_capget, &head, data))
		return 1;
	printf("euid=%u egid=%u caps=%x\n", geteuid(), getegid(),
	       data[0].effective);
	return 0;
}
