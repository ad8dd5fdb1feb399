/* SPDX-License-Identifier: GPL-2.0-or-later */
/* proc.c - a /proc with the job's processes, without what tells of the machine
 *
 * Files outside of the folders of processes belong to the machine's root, which
 * nobody inside is: nothing there can be written.  Covered is what can be read,
 * is nobody's business and is missed by no program.  /proc/stat stays, though
 * its counts of interrupts tell when keys are pressed: ps(1) ends without it.
 */
#include "config.h"

#include "private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

static const char *const covered[] = {
	"/proc/acpi",
	"/proc/asound",
	"/proc/bus",
	"/proc/cmdline",
	"/proc/config.gz",
	"/proc/dma",
	"/proc/fb",
	"/proc/fs",
	"/proc/interrupts",
	"/proc/iomem",
	"/proc/ioports",
	"/proc/irq",
	"/proc/kallsyms",
	"/proc/kcore",
	"/proc/key-users",
	"/proc/keys",
	"/proc/kmsg",
	"/proc/kpagecgroup",
	"/proc/kpagecount",
	"/proc/kpageflags",
	"/proc/latency_stats",
	"/proc/locks",
	"/proc/modules",
	"/proc/mtrr",
	"/proc/pressure",
	"/proc/sched_debug",
	"/proc/scsi",
	"/proc/softirqs",
	"/proc/sysrq-trigger",
	"/proc/timer_list",
	"/proc/vmallocinfo",
};

/* What it is shows when it is tried.  /mnt is an empty folder of the root
 * folder. */
static int cover(const char *path, struct vol_error *err)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};

	if (mount("/dev/null", path, NULL, MS_BIND, NULL) == 0 ||
	    errno == ENOENT)
		return 0;
	if (errno != ENOTDIR || mount("/mnt", path, NULL, MS_BIND, NULL) != 0)
		return vol_errorf(err, "%s: cannot cover: %s", path,
				  strerror(errno));
	if (mount_setattr(AT_FDCWD, path, 0, &attr, sizeof(attr)) != 0)
		return vol_errorf(err, "%s: cannot make it read-only: %s", path,
				  strerror(errno));
	return 0;
}

int vol_proc_cover(struct vol_error *err)
{
	/* Or it would seem as if there was nothing to cover. */
	if (access("/dev/null", F_OK) != 0)
		return vol_errorf(err, "/dev/null: %s", strerror(errno));
	for (size_t i = 0; i < sizeof(covered) / sizeof(covered[0]); i++)
		if (cover(covered[i], err) != 0)
			return -1;
	return 0;
}

int vol_proc_build(struct vol_error *err)
{
	if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  NULL) != 0)
		return vol_errorf(err, "/proc: cannot mount: %s",
				  strerror(errno));
	return vol_proc_cover(err);
}
