/* SPDX-License-Identifier: GPL-2.0-or-later */
/* runtime_mount.c - an image file as a file system
 *
 * erofs reads a file itself since Linux 6.12; everything else takes a loop
 * device, which ends by itself with the mount, however we end.
 */
#include "config.h"

#include "runtime_mount.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "cleanup.h"

#define READ_ONLY (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)

/* Others look for free devices, too; each time one of us has it. */
#define TRIES 64

/* What the kernel says itself, such as "erofs: ... unknown compression". */
static int fs_error(int fs, const char *type, struct vol_error *err)
{
	char line[160];
	int errnum = errno;
	ssize_t n = read(fs, line, sizeof(line) - 1);

	/* "e message" */
	if (n > 2 && line[0] == 'e') {
		line[n] = '\0';
		line[strcspn(line, "\n")] = '\0';
		return vol_errorf_errno(err, errnum, "%s: %s", type, line + 2);
	}
	return vol_errorf_errno(err, errnum, "cannot mount %s: %s", type,
				strerror(errnum));
}

/* A detached mount. */
static int mount_source(const char *type, const char *source,
			struct vol_error *err)
{
	cleanup_fd int fs = fsopen(type, FSOPEN_CLOEXEC);
	int mount;

	if (fs < 0)
		return vol_errorf(err, "this kernel has no %s (%s)", type,
				  strerror(errno));
	if (fsconfig(fs, FSCONFIG_SET_STRING, "source", source, 0) != 0 ||
	    fsconfig(fs, FSCONFIG_SET_FLAG, "ro", NULL, 0) != 0 ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) != 0)
		return fs_error(fs, type, err);
	mount = fsmount(fs, FSMOUNT_CLOEXEC, READ_ONLY);
	return mount < 0 ? fs_error(fs, type, err) : mount;
}

static int tie(int control, int file, char name[32])
{
	const struct loop_config config = {
		.fd = (__u32)file,
		.info = {.lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR},
	};
	cleanup_fd int loop = -1;
	int number = ioctl(control, LOOP_CTL_GET_FREE);

	if (number < 0)
		return -1;
	snprintf(name, 32, "/dev/loop%d", number);
	loop = open(name, O_RDONLY | O_CLOEXEC);
	if (loop < 0 || ioctl(loop, LOOP_CONFIGURE, &config) != 0)
		return -1;
	return steal_fd(&loop);
}

/* A descriptor that keeps it until it is mounted. */
static int open_loop(int file, char name[32], struct vol_error *err)
{
	cleanup_fd int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	int loop = -1;

	errno = control < 0 ? errno : EBUSY;
	for (int i = 0; control >= 0 && loop < 0 && errno == EBUSY && i < TRIES;
	     i++)
		loop = tie(control, file, name);
	return loop < 0 ? vol_errorf(err, "no loop device: %s", strerror(errno))
			: loop;
}

static int mount_loop(int file, const char *type, struct vol_error *err)
{
	char name[32];
	cleanup_fd int loop = open_loop(file, name, err);

	return loop < 0 ? -1 : mount_source(type, name, err);
}

static int mount_file(int file, const char *type, struct vol_error *err)
{
	char name[32];

	snprintf(name, sizeof(name), "/proc/self/fd/%d", file);
	return mount_source(type, name, err);
}

int vol_runtime_mount(int file, enum vol_runtime_kind kind, const char *target,
		      struct vol_error *err)
{
	const char *type = vol_runtime_type(kind);
	cleanup_fd int mount = -1;

	if (kind == VOL_RUNTIME_EROFS)
		mount = mount_file(file, type, err);
	/* Anything but a block device is new to it. */
	if (kind != VOL_RUNTIME_EROFS || (mount < 0 && errno == ENOTBLK))
		mount = mount_loop(file, type, err);
	if (mount < 0)
		return -1;
	if (move_mount(mount, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH) !=
	    0)
		return vol_errorf(err, "%s: cannot mount: %s", target,
				  strerror(errno));
	return 0;
}

void vol_runtime_unmount(const char *target)
{
	while (umount2(target, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
		;
}
