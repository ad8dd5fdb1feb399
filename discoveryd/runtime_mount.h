/* SPDX-License-Identifier: GPL-2.0-or-later */
/* runtime_mount.h - an image file as a file system */
#ifndef VOL_RUNTIME_MOUNT_H
#define VOL_RUNTIME_MOUNT_H

#include "error.h"
#include "runtime.h"

/* Mount the image in the open file on target, a folder: read-only, without
 * devices and set-user-id programs.  The mount alone holds what it needs. */
int vol_runtime_mount(int file, enum vol_runtime_kind kind, const char *target,
		      struct vol_error *err);

/* Whatever is mounted there is so no more; who uses it keeps it. */
void vol_runtime_unmount(const char *target);

#endif
