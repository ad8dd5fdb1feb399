/* SPDX-License-Identifier: GPL-2.0-or-later */
/* start_outside.c - start a process in a cgroup that is not ours
 *
 * Wall: seccomp, mount namespace
 * Bare: capable
 */
#include "../attempt.h"

#include <sched.h>
#include <linux/sched.h>

int main(void)
{
	int fd = open(victim("cgroup"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct clone_args args = {.flags = CLONE_INTO_CGROUP,
				  .exit_signal = SIGCHLD,
				  .cgroup = fd};
	pid_t pid;

	if (fd < 0)
		blocked("open %s", victim("cgroup"));
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (!pid)
		_exit(0);
	if (pid < 0)
		blocked("clone3");
	reached("a process where the owner is");
}
