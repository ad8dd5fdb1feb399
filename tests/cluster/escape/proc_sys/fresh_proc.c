/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fresh_proc.c - mount another /proc and change a setting of the machine
 *
 * Wall: seccomp, no capabilities
 * Bare: capable
 */
#include "../attempt.h"

#include <sched.h>
#include <sys/mount.h>

int main(void)
{
	char folder[] = "/tmp/proc-XXXXXX", path[64];
	int fd;

	if (unshare(CLONE_NEWNS))
		blocked("unshare");
	if (!mkdtemp(folder))
		cannot("make a folder");
	mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
	if (mount("proc", folder, "proc", 0, NULL)) {
		rmdir(folder);
		blocked("mount proc");
	}
	snprintf(path, sizeof(path), "%s/sys/net/ipv4/ip_forward", folder);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	umount2(folder, MNT_DETACH);
	rmdir(folder);
	if (fd < 0)
		blocked("open ip_forward to write");
	reached("the machine's settings are open");
}
