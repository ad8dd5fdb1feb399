/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cgroups.h - where a process is in the cgroup2 tree, as we see it
 *
 * root: "" or a folder that stands for / (tests).  pid: a number or "self".
 */
#ifndef VOL_CGROUPS_H
#define VOL_CGROUPS_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

/* Where Slurm and systemd want it. */
#define VOL_CGROUP_MOUNT "/sys/fs/cgroup"

/* The cgroup2 path of a process ("/a/b", "/" for the root), from the "0::" line
 * of /proc/PID/cgroup.  On a hybrid host there are other lines, too.  -1 with
 * ENOENT when the process or the line is missing. */
int vol_cgroup_path(const char *root, const char *pid, char *path, size_t size,
		    struct vol_error *err);

/* Which folder of the tree this process has on VOL_CGROUP_MOUNT: "/" when it is
 * that of our cgroup namespace.  -1 with ENOENT when there is no cgroup2. */
int vol_cgroup_mounted(const char *root, const char *pid, char *path,
		       size_t size, struct vol_error *err);

/* Cut "/a/b" to "/a" and "/a" to "/", in place. */
void vol_cgroup_parent(char *path);

/* Write to / read a control file of a folder (absolute); text is cut at the
 * first newline.  -1 with errno. */
int vol_cgroup_write(const char *folder, const char *file, const char *text);
int vol_cgroup_read(const char *folder, const char *file, char *text,
		    size_t size);

#endif
